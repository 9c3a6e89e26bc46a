def show(a):
    print(a.status_code, dict(a.headers), a.text[:400])


def test_probe(team):
    o = team.owner
    show(o.post("/contacts", {"firstName": "A", "tags": ["x"]}))
    show(o.get("/contacts"))
    show(o.get("/auth/me"))
    for m in ("admin", "member", "limited", "viewer"):
        show(getattr(team, m).get("/auth/me"))
    show(team.key("tags:read").get("/contacts"))
    show(team.anonymous.get("/contacts"))
