-- stop every connector that calls the real thing, and forget its secrets
UPDATE finance_credential
   SET sealed = NULL, sealed_next = NULL, hint = NULL, has_value = FALSE, has_next = FALSE,
       tested_at = NULL
 WHERE environment = 'production';

UPDATE finance_connector
   SET state = 'paused', tested_at = NULL
 WHERE environment = 'production';

-- a copy must not renew what the original is signed in with
DELETE FROM finance_token;
DELETE FROM finance_sign_in;

-- a copy tells its figures to nobody
DELETE FROM ir_config_parameter WHERE key = 'finance_connector.metrics_token';

-- this is no longer the database that an administrator confirmed
DELETE FROM finance_binding;

-- what waits may have been sent by the database that this is a copy of
UPDATE finance_job
   SET held_reason = 'restored', worker = NULL,
       state = CASE WHEN state <> 'calling' THEN state
                    WHEN effect = 'once' THEN 'uncertain' ELSE 'pending' END
 WHERE effect IN ('idempotent', 'once') AND state IN ('pending', 'calling', 'uncertain', 'dead');

-- that it is a copy is known, so nobody has to acknowledge it
UPDATE finance_mark SET identity = '', held = FALSE;
