"""Asking as clients of CompreFace do."""

API = "/api/v1"


def file(content, name="photo.jpg", field="file"):
    """A photograph as a field of a form."""
    return {field: (name, content, "image/jpeg")}


def save(server, subject, content, **params):
    """Save a photograph; the answer's JSON."""
    params = {"subject": subject, **params}
    answer = server.client.post(f"{API}/recognition/faces", params=params, files=file(content))
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(answer, status, code):
    """Whether an answer is an error in the shape of CompreFace."""
    told = answer.json()
    return answer.status_code == status and told.keys() == {"message", "code"} and told["code"] == code
