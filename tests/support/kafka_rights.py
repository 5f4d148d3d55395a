"""A Kafka that holds its users to the rights of the manifests."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

# Kafka's own numbers
RESOURCES = {"topic": 2, "group": 3}
OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8}
LITERAL = 3
ALLOW = 3
# who comes in the clear is the test itself, and the controller
HELD_TO_RIGHTS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}


async def grant(bootstrap, user, acls):
    """Give `user` the rights `acls`, as a KafkaUser has them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for acl in acls:
            resource = acl["resource"]
            assert resource["patternType"] == "literal"
            for operation in acl["operations"]:
                request = CreateAclsRequest(
                    RESOURCES[resource["type"]], resource["name"], LITERAL,
                    f"User:{user}", "*", OPERATIONS[operation], ALLOW,
                )  # fmt: skip
                answer = await admin._send_request(request)
                assert [code for code, _ in answer.creation_responses] == [0], answer
    finally:
        await admin.close()
