"""`docs/flows.md`: the registry of topics as a page for people."""

from fareline_contracts.topics import DAY_MS, REGISTRY, Topic, dlq_of

HEAD = """# Flows

What travels between the services, and where it may end. Made from the topic registry by `make generate`; edit
`libs/contracts/src/fareline_contracts/topics.py` instead of this page.

```mermaid
flowchart LR
"""


def flows_page() -> str:
    """Return the text of `docs/flows.md`."""
    rows = "".join(_row(topic) for topic in _all())
    sections = "".join(_section(topic) for topic in REGISTRY)
    return (
        f"{HEAD}{_graph()}```\n\n"
        "| topic | key | kept | partitions | written by | read by |\n|---|---|---|---|---|---|\n"
        f"{rows}{sections}"
    )


def _all() -> list[Topic]:
    return [each for topic in REGISTRY for each in ([topic, dlq_of(topic)] if topic.dead_letters else [topic])]


def _graph() -> str:
    lines = []
    for topic in REGISTRY:
        node = topic.name.replace(".", "_")
        lines.append(f"  {node}[({topic.name})]")
        lines += [f"  {_node(name)} --> {node}" for name in topic.producers]
        lines += [f"  {node} --> {_node(name)}" for name in topic.consumers]
    return "\n".join(lines) + "\n"


def _node(service: str) -> str:
    return f"{service.replace(' ', '_').replace('-', '_')}[{service}]"


def _kept(topic: Topic) -> str:
    return "last of each key" if topic.compacted else f"{int(topic.config['retention.ms']) // DAY_MS} days"


def _row(topic: Topic) -> str:
    writers, readers = ", ".join(topic.producers), ", ".join(topic.consumers) or "whoever likes"
    return f"| `{topic.name}` | {topic.key} | {_kept(topic)} | {topic.partitions} | {writers} | {readers} |\n"


def _section(topic: Topic) -> str:
    records = "".join(
        f"- `{record_type}` → [`schemas/{record_type}.json`](../libs/contracts/schemas/{record_type}.json)\n"
        for record_type in topic.records
    )
    settings = "".join(f"- `{name}={value}`\n" for name, value in topic.settings.items())
    return f"\n## {topic.name}\n\n{topic.description}\n\nRecords:\n\n{records}\nSettings:\n\n{settings}"
