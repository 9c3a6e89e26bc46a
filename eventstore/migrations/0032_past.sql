-- Reading as of a moment: in these schemas tables are, under their own names, what they were. A transaction that looks back
-- has them before public in its search path (eventstore/then.py). What is in them is made with the tables of the past
-- (projections/view/past.py).
CREATE SCHEMA IF NOT EXISTS past;
-- The same for who sees only what is assigned to them, of what not everybody sees.
CREATE SCHEMA IF NOT EXISTS past_assigned;
GRANT USAGE ON SCHEMA past, past_assigned TO daybook_app;
