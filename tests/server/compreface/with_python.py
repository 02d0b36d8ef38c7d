"""Drives CompreFace's own Python client; run by `test_clients.py` in a venv that has it.

Arguments: host with scheme, port, API key, folder of photographs. Prints what it was answered, as JSON.
"""

import json
import sys

from compreface import CompreFace

host, port, key, folder = sys.argv[1:]
grace, again, both = (f"{folder}/{name}.jpg" for name in ("grace", "again", "both"))
client = CompreFace(
    host, port, {"limit": 0, "det_prob_threshold": 0.8, "prediction_count": 2, "status": True}
)
recognition = client.init_face_recognition(key)
detection, verification = client.init_face_detection(key), client.init_face_verification(key)
faces, subjects = recognition.get_face_collection(), recognition.get_subjects()
told = {"saved": faces.add(grace, "Grace")}
told |= {
    "listed": faces.list(),
    "recognised": recognition.recognize(both),
    "verified": faces.verify(again, told["saved"]["image_id"], {"face_plugins": "landmarks"}),
    "detected": detection.detect(both, {"limit": 1, "face_plugins": "calculator"}),
    "compared": verification.verify(grace, both),
    "added": subjects.add("Ada"),
    "renamed": subjects.update("Ada", "Countess"),
    "subjects": subjects.list(),
    "forgotten": subjects.delete("Countess"),
    "deleted": faces.delete(told["saved"]["image_id"]),
    "none": faces.delete_all("Grace"),
    "all": subjects.delete_all(),
    "refused": detection.detect(b"no photograph"),
}
json.dump(told, sys.stdout)
