-- Workers look across workspaces for jobs that wait and deliveries that are due. They claim in a transaction for one
-- workspace, like everybody else, so what they may change is what everybody may.
DROP POLICY workers_claim ON jobs;
DROP POLICY workers_claim ON webhook_deliveries;
