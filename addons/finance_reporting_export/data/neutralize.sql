-- a copy exports nothing by itself
UPDATE finance_export SET active = false;
