"""YAML 1.2, with lines."""

import pytest

from gristmill.errors import RecipeError
from gristmill.pipeline.yaml import dump_yaml, parse_value, parse_yaml, read_yaml


def test_norway_is_not_false_and_numbers_are_numbers():
    node = parse_yaml("keep: {no: 1e-3, on: 0.5}\nbig: 100_000\nyes: true\n", "r.yaml")
    assert node.value == {"keep": {"no": 0.001, "on": 0.5}, "big": 100_000, "yes": True}
    assert type(node.value["big"]) is int
    assert type(node.value["keep"]["no"]) is float


def test_every_key_has_its_line_or_that_of_what_is_around_it():
    location = parse_yaml("a: 1\nb:\n  - c: {d: 2}\n  - e\n", "r.yaml").location
    assert str(location.at(("a",))) == "(r.yaml:1)"
    assert str(location.at(("b", 0, "c", "d"))) == "(r.yaml:3)"
    assert str(location.at(("b", 1))) == "(r.yaml:4)"
    assert str(location.at(("b", 0, "c", "unknown", "deeper"))) == "(r.yaml:3)"
    assert str(location.at(("nowhere",))) == "(r.yaml:1)"


@pytest.mark.parametrize(
    ("text", "line"), [("a: [1,\nb: 2\n", 3), ("a: 1\na: 2\n", 2), ("a: 'open\n", 2), ("\ta: 1\n", 1)]
)
def test_what_is_not_yaml_is_pointed_at(text, line):
    with pytest.raises(RecipeError, match=rf"\(r\.yaml:{line}\)"):
        parse_yaml(text, "r.yaml")


def test_no_file_and_no_text_are_said(tmp_path):
    with pytest.raises(RecipeError, match="there is no recipe"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="cannot be read as a recipe"):
        read_yaml(tmp_path / "binary.yaml")
    with pytest.raises(RecipeError, match="cannot be read as a recipe"):
        read_yaml(tmp_path)


def test_values_on_the_command_line_are_yaml():
    assert parse_value("[en, no]") == ["en", "no"]
    assert parse_value("0.5") == 0.5
    assert parse_value("crawl/*.warc.gz") == "crawl/*.warc.gz"
    assert parse_value("") is None
    with pytest.raises(RecipeError, match="is not a YAML value"):
        parse_value("[1")


def test_what_is_dumped_is_read_back():
    value = {"name": "x", "stages": [{"extract": {"mode": "fast"}}, "signals"], "no": None}
    assert parse_yaml(dump_yaml(value), "r.yaml").value == value
