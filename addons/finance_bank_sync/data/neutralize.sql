-- a copy asks no bank: consents are those of the original
UPDATE finance_bank_consent SET secret_sealed = NULL, state = 'withdrawn';
UPDATE finance_bank_link SET state = 'paused', next_pull_at = NULL WHERE state <> 'paused';
DELETE FROM finance_bank_visit;
