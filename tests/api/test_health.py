"""How the server says that it is well, or not."""


def test_a_server_is_alive_and_ready_without_any_token(server):
    assert server.client(None).get("/healthz").json() == {"status": "ok"}
    assert server.client(None).get("/readyz").json() == {"status": "ready"}
