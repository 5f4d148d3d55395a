"""Ports: free ones by default, counted ones on demand, a plain word when one is taken."""

import socket

import pytest

from fareline_devstack.errors import DevstackError, PortTaken
from fareline_devstack.ports import HOST, Ports, free_port, require_free
from fareline_devstack.services.catalogue import usual_ports


@pytest.fixture
def taken_port():
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_free_ports_can_be_listened_on():
    with socket.socket() as server:
        server.bind((HOST, free_port()))


def test_base_is_counted_up():
    base = free_port()
    ports = Ports.from_environment({"FARELINE_PORT_BASE": str(base)})
    assert ports.take("Kafka") == base


def test_taken_port_is_named_with_what_it_was_for(taken_port):
    with pytest.raises(PortTaken, match=rf"port {taken_port}, wanted for call-router, is taken.*FARELINE_HTTP_BASE"):
        require_free(taken_port, "call-router", variable="FARELINE_HTTP_BASE")


def test_counted_port_must_be_free(taken_port):
    with pytest.raises(PortTaken, match=r"wanted for Kafka.*FARELINE_PORT_BASE"):
        Ports(taken_port).take("Kafka")


@pytest.mark.parametrize("text", ["many", "0", "70000", "-1"])
def test_nonsense_base_is_refused(text):
    with pytest.raises(DevstackError, match="FARELINE_PORT_BASE must be a port number"):
        Ports.from_environment({"FARELINE_PORT_BASE": text})
    with pytest.raises(DevstackError, match="FARELINE_HTTP_BASE must be a port number"):
        usual_ports({"FARELINE_HTTP_BASE": text})
