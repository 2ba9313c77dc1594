"""The rules that RO-Crate 1.1 gives to every crate."""

from datetime import date


def check(content, folder):
    """Assert that the metadata follow the rules and that the files are there; return the entities by identifier."""
    assert content["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in content["@graph"]}
    assert len(entities) == len(content["@graph"]), "an identifier stands twice"
    assert all(entity["@type"] for entity in content["@graph"])
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["@type"] == "CreativeWork" and descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset" and root["name"] and root["description"]
    assert date.fromisoformat(root["datePublished"])
    assert root["license"]["@id"] in entities
    listed = {part["@id"] for part in root["hasPart"]}
    files = {name for name, entity in entities.items() if entity["@type"] == "File"}
    assert listed == files
    assert all((folder / name).is_file() for name in files)
    assert all(int(entities[name]["contentSize"]) == (folder / name).stat().st_size for name in files)

    def linked(value):  # flat: whatever is nested is a link to an entity of the graph
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                assert list(each) == ["@id"]
                assert each["@id"] in entities or each["@id"].startswith("https://w3id.org/")

    for entity in content["@graph"]:
        for value in entity.values():
            linked(value)
    return entities
