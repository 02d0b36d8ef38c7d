"""The API of CompreFace, so that its clients move by changing an address; see docs/compreface.md."""

from mien.server.compreface.comparing import door as comparing
from mien.server.compreface.examples import door as examples
from mien.server.compreface.photographs import door as photographs
from mien.server.compreface.recognising import door as recognising
from mien.server.compreface.subjects import door as subjects

DOORS = (subjects, examples, recognising, comparing, photographs)
