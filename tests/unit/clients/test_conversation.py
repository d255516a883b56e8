"""The client's side of the protocol, without a server."""

from clients.postgres.conversation import Conversation
from proxy.wire import authentication, backend


def test_a_notification_behind_the_end_of_an_answer():
    conversation = Conversation(user="postgres", database="postgres")
    greeting = (authentication.AuthenticationOk(), backend.ReadyForQuery("I"))
    assert conversation.receive(b"".join(message.encode() for message in greeting))
    conversation.ask("LISTEN c", ())
    answer = (backend.CommandComplete("LISTEN"), backend.ReadyForQuery("I"), backend.NotificationResponse(7, "c", "news"))
    assert conversation.receive(b"".join(message.encode() for message in answer))
    assert conversation.take_result().tag == "LISTEN"
    assert conversation.notifications == [("c", "news")]
