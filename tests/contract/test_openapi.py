"""The checker itself: it must refuse what it claims to refuse."""

import pytest

from tests.contract.openapi import OpenApi

DESCRIPTION = {
    "paths": {
        "/things/{id}": {
            "post": {
                "parameters": [
                    {"in": "path", "name": "id", "schema": {"type": "integer"}},
                    {"in": "query", "name": "$include", "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                    }
                },
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        }
                    },
                    "404": {"description": "Not found"},
                },
            },
            "get": {"responses": {}},
        },
        "/forms": {
            "put": {
                "parameters": [
                    {
                        "in": "query",
                        "name": "expand",
                        "schema": {"type": "array", "items": {"type": "string", "maxLength": 4}},
                    }
                ],
                "requestBody": {
                    "content": {
                        "application/x-www-form-urlencoded": {
                            "schema": {
                                "type": "object",
                                "required": ["parts"],
                                "properties": {
                                    "parts": {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "properties": {"amount": {"type": "integer"}},
                                        },
                                    },
                                    "mode": {"type": "string", "enum": ["full", "part"]},
                                    "tags": {"additionalProperties": {"type": "string"}},
                                },
                            }
                        }
                    }
                },
                "responses": {
                    "default": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {
                                        "cost": {
                                            "anyOf": [{"$ref": "#/components/schemas/Thing"}],
                                            "nullable": True,
                                        },
                                        "mood": {
                                            "type": "string",
                                            "enum": ["good"],
                                            "nullable": True,
                                        },
                                    },
                                }
                            }
                        }
                    }
                },
            },
        },
        "/things/all": {"get": {"responses": {"200": {"description": "all"}}}},
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "day"],
                "properties": {
                    "id": {"type": "integer", "format": "int32", "readOnly": True},
                    "day": {"type": "string", "format": "date"},
                    "kind": {"type": "string", "enum": ["A", "B"]},
                    "code": {"type": "string", "maxLength": 3},
                    "at": {"type": "string", "format": "date-time"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                },
            }
        }
    },
}
GOOD = {"day": "2026-02-28", "kind": "A", "code": "abc", "at": "2026-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def api():
    return OpenApi(DESCRIPTION)


def test_a_good_request_and_answer_pass(api):
    assert api.check_request("POST", "/things/7", "$include=a", GOOD) == []
    assert api.check_answer("POST", "/things/7", 200, {**GOOD, "id": 7, "parts": []}) == []
    assert api.check_answer("POST", "/things/7", 404, None) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"extra": 1}, "'extra' was unexpected"),
        ({"id": 7}, "'id' was unexpected"),
        ({"kind": "C"}, "'C' is not one of"),
        ({"code": "abcd"}, "too long"),
        ({"day": "2026-02-30"}, "is not a 'date'"),
        ({"at": "yesterday"}, "is not a 'date-time'"),
        ({"day": 7}, "is not of type 'string'"),
        ({"parts": [{"day": "2026-01-01", "extra": 1}]}, "parts.0: "),
    ],
)
def test_what_the_description_does_not_say_is_refused_in_a_request(api, change, words):
    problems = api.check_request("POST", "/things/7", "", GOOD | change)
    assert len(problems) == 1 and words in problems[0]


def test_integers_keep_within_their_format(api):
    (problem,) = api.check_answer("POST", "/things/7", 200, GOOD | {"id": 1 << 31})
    assert "int32" in problem


def test_missing_body_and_fields_are_refused(api):
    assert api.check_request("POST", "/things/7") == ["the body is missing"]
    assert "'day' is a required property" in api.check_request("POST", "/things/7", "", {})[0]
    assert "'id' is a required property" in api.check_answer("POST", "/things/7", 200, GOOD)[0]


def test_parameters_paths_and_statuses_must_be_named(api):
    assert api.check_request("POST", "/things/7", "q=1", GOOD) == ["query parameter q is unknown"]
    assert api.check_request("POST", "/things/seven", "", GOOD)[0].startswith("id: ")
    assert api.check_request("PUT", "/things/7") == ["PUT /things/7 is not in the description"]
    assert "status 500" in api.check_answer("POST", "/things/7", 500, {})[0]


def test_literal_paths_win_over_parameters(api):
    assert api.operation("GET", "/things/all")[0] == "/things/all"
    assert api.operation("GET", "/things/1")[0] == "/things/{id}"


def test_forms_are_read_with_the_types_of_their_schema(api):
    good = "parts[0][amount]=5&parts%5B1%5D%5Bamount%5D=-6&mode=full&tags[a]=1"
    assert api.check_request("PUT", "/forms", "expand[]=some", good) == []
    for query, body, problem in (
        ("expand[]=something", good, "too long"),
        ("", "mode=full", "'parts' is a required property"),
        ("", "parts[0][amount]=five", "not of type 'integer'"),
        ("", "parts[0][amount]=5&parts[0][price]=5", "'price' was unexpected"),
        ("", "parts[0][amount]=5&mode=half", "not one of"),
    ):
        [found] = api.check_request("PUT", "/forms", query, body)
        assert problem in found, found


def test_null_is_an_answer_where_the_description_says_so(api):
    assert api.check_answer("PUT", "/forms", 409, {"cost": None, "mood": None}) == []
    assert api.check_answer("PUT", "/forms", 409, {"mood": "bad"}) != []
