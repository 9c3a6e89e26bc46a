-- Workers look across workspaces for jobs that wait; they claim one in a transaction for its workspace, like everybody else.
DROP POLICY workers_claim ON jobs;
