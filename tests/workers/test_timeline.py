"""A timeline as its readers meet it: an API and a worker in a process of its own."""

from __future__ import annotations

import httpx

from eventstore.database import open_pool
from tests.api.asserting import ok
from tests.api.serving import services_on, serving
from tests.api.team import Team
from tests.workers.running import Installation, eventually, worker_process


def test_with_the_seq_of_a_command_its_event_is_on_the_timeline(installation: Installation) -> None:
    app_url = installation.config.database_url.replace("daybook_worker", "daybook_app")
    with (
        open_pool(app_url, timeout=30) as pool,
        serving(services_on(pool)) as url,
        httpx.Client(base_url=url, timeout=30) as http,
        worker_process(installation.config, ["relay", "views"], poll=0.05) as worker,
    ):
        eventually(lambda: worker.says("running relay, view, contact_alike"))
        team = Team(services_on(pool), http)
        contact = team.owner.contact(firstName="Ann")
        for number in range(20):
            done = team.owner.patch(f"/contacts/{contact['id']}", {"company": f"Acme {number}"})
            seq = int(done.headers["daybook-seq"])
            answer = team.owner.get(f"/contacts/{contact['id']}/timeline", params={"minSeq": seq})
            newest = ok(answer)["data"][0]
            assert (newest["seq"], newest["changes"]["company"]["to"]) == (seq, f"Acme {number}")
            assert int(answer.headers["daybook-view-seq"]) >= seq
