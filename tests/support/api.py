"""Asking a service's HTTP API: who asks, and whether a refusal is the problem that it should be."""

from httpx import Response


def as_(who: str) -> dict[str, str]:
    """Headers; the tests' tokens are their roles' names."""
    return {"authorization": f"Bearer {who}"}


def is_problem(response: Response, status: int, slug: str) -> bool:
    problem = response.json()
    return (
        response.headers["content-type"] == "application/problem+json"
        and response.status_code == problem["status"] == status
        and problem["type"] == f"urn:justera:problem:{slug}"
    )
