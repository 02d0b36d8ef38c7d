"""Every error that Mien raises on purpose.

    MienError               .code (stable string)  .hint (what to do)
    + InputError            UnreadableImage  ImageTooLarge  NoFace  ManyFaces  FaceRefused  BadRequest
    + PackError             PackMissing  PackCorrupt  ManifestInvalid  LicenceNotAccepted
    |                       DownloadFailed  ConversionFailed  ExtraMissing
    + GalleryError          PersonUnknown  PersonExists  FaceUnknown  CollectionUnknown  CollectionExists
    |                       SpaceMismatch  ConsentExpired  IndexStale  AuditBroken
    |                       StoreLocked  StoreNewer  StoreCorrupt  StoreFull  StoreReadOnly  StoreUnreachable
    |                       KeyWrong  KeyMissing
    + SourceError           StreamLost  UnreadableVideo
    + InferenceError        DeviceUnavailable  OutOfMemory
    + CalibrationError      CalibrationInvalid  RateUnsupported
    + SettingsError

A message says what happened, `hint` says what to do about it, `code` never changes between
versions. Doors translate codes: exit codes in `mien.cli.exits`, HTTP status in the server.
"""

from __future__ import annotations

from typing import ClassVar, Self


class MienError(Exception):
    """Base of every deliberate error; the class is the code, the instance the occasion.

    Args:
        message: What happened, naming the file, person or option concerned.
        hint: What the reader can do about it; a class may bring a default.
    """

    code: ClassVar[str] = "mien_error"
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        if self.hint:
            self.add_note(self.hint)  # so that a traceback says it too

    def __str__(self) -> str:
        return self.message


class InputError(MienError):
    """What was handed in cannot be used."""

    code = "input_error"


class UnreadableImage(InputError):
    """Not an image, or one that is damaged."""

    code = "unreadable_image"
    default_hint = "Open it in an image viewer; if that fails too, export it again as JPEG or PNG."


class ImageTooLarge(InputError):
    """More pixels or bytes than the settings allow; refused before decoding."""

    code = "image_too_large"
    default_hint = "Shrink the picture, or raise the limit: MIEN_MAX_PIXELS, or max_pixels in mien.toml."


class NoFace(InputError):
    """A face was needed and none was found."""

    code = "no_face"
    default_hint = (
        "Use a picture in which the face is upright, not tiny and not turned away; MIEN_SEARCH=thorough "
        "looks longer."
    )


class ManyFaces(InputError):
    """Exactly one face was needed and several were found."""

    code = "many_faces"
    default_hint = (
        "Crop to the person you mean, or take the largest face: --largest, in Python face='largest'."
    )


class FaceRefused(InputError):
    """A face was found, and is not good enough to be enrolled."""

    code = "face_refused"
    default_hint = "Take a better picture, or lower the gate: MIEN_GATE=off, --gate off."


class BadRequest(InputError):
    """An argument has the wrong type, range or combination."""

    code = "bad_request"


class PackError(MienError):
    """A pack cannot be installed or used."""

    code = "pack_error"


class PackMissing(PackError):
    """No such pack, or not installed."""

    code = "pack_missing"


class PackCorrupt(PackError):
    """A file of a pack is not what its manifest says."""

    code = "pack_corrupt"
    default_hint = "Install it again: mien packs install NAME --force"


class ManifestInvalid(PackError):
    """A pack.toml cannot be understood."""

    code = "manifest_invalid"


class LicenceNotAccepted(PackError):
    """The weights have a restricted licence and nobody agreed to it."""

    code = "licence_not_accepted"
    default_hint = "Read the licence, then repeat with --accept-licence."


class DownloadFailed(PackError):
    """A source did not deliver the file that the manifest names."""

    code = "download_failed"


class ConversionFailed(PackError):
    """A foreign model file is damaged, hostile, or of a kind we do not know."""

    code = "conversion_failed"


class ExtraMissing(PackError):
    """An optional dependency is needed and not installed."""

    code = "extra_missing"

    @classmethod
    def of(cls, extra: str, message: str) -> Self:
        """Make the error whose hint says how to install an extra of Mien."""
        return cls(message, hint=f"pip install 'mien[{extra}]', or in a clone: pip install '.[{extra}]'")


class GalleryError(MienError):
    """The gallery refuses."""

    code = "gallery_error"


class PersonUnknown(GalleryError):
    """Nobody of that name is enrolled."""

    code = "person_unknown"


class PersonExists(GalleryError):
    """Somebody of that name is enrolled already."""

    code = "person_exists"


class SpaceMismatch(GalleryError):
    """Embeddings of two different networks or preprocessings must not be compared."""

    code = "space_mismatch"
    default_hint = "Use the embedder the gallery was made with, or enrol the people again."


class FaceUnknown(GalleryError):
    """No such face is enrolled."""

    code = "face_unknown"


class CollectionUnknown(GalleryError):
    """There is no collection of that name."""

    code = "collection_unknown"


class CollectionExists(GalleryError):
    """There is a collection of that name already."""

    code = "collection_exists"


class ConsentExpired(GalleryError):
    """The consent of a person has run out."""

    code = "consent_expired"
    default_hint = "Renew it: mien people consent NAME; or forget who is due: mien gallery sweep"


class IndexStale(GalleryError):
    """A saved index is not of this store as it is now, or damaged; it is built anew from the store."""

    code = "index_stale"


class AuditBroken(GalleryError):
    """An entry of the audit log was changed, removed or put in."""

    code = "audit_broken"
    default_hint = "Compare with a backup or an exported log: somebody wrote to the store without Mien."


class StoreLocked(GalleryError):
    """Another process holds the store."""

    code = "store_locked"
    default_hint = "Wait until the other process has finished, or find out what holds the store."


class StoreNewer(GalleryError):
    """The store was written by a newer version."""

    code = "store_newer"
    default_hint = "Install the newer version of Mien; nothing was changed."


class StoreCorrupt(GalleryError):
    """The store is damaged, or no store at all."""

    code = "store_corrupt"
    default_hint = "Restore a backup: mien gallery restore FILE"


class StoreFull(GalleryError):
    """There is no room for what was to be kept."""

    code = "store_full"
    default_hint = "Free disk space, then repeat; what was acknowledged before is kept."


class StoreReadOnly(GalleryError):
    """The store may be read but not written."""

    code = "store_read_only"
    default_hint = "Check who may write to the file and its folder, and how the disk is mounted."


class StoreUnreachable(GalleryError):
    """The database does not answer, or refuses the user."""

    code = "store_unreachable"
    default_hint = "Check the address of the store, user and password, and that the server is running."


class KeyWrong(GalleryError):
    """The key does not open this store."""

    code = "key_wrong"
    default_hint = "Give the key that the store was made with: MIEN_GALLERY_KEY, or gallery_key in mien.toml."


class KeyMissing(GalleryError):
    """There is a store, but no key."""

    code = "key_missing"
    default_hint = "Bring back the key file, or set MIEN_GALLERY_KEY. Without its key a store cannot be read."


class SourceError(MienError):
    """A stream or a video cannot be read."""

    code = "source_error"


class StreamLost(SourceError):
    """A live stream ended without being asked to."""

    code = "stream_lost"


class UnreadableVideo(SourceError):
    """Not a video, or one that is damaged."""

    code = "unreadable_video"


class InferenceError(MienError):
    """A network could not be run."""

    code = "inference_error"


class DeviceUnavailable(InferenceError):
    """The requested device is not there; Mien does not fall back in silence."""

    code = "device_unavailable"


class OutOfMemory(InferenceError):
    """The device ran out of memory."""

    code = "out_of_memory"
    default_hint = "Lower the batch size (MIEN_BATCH) or the picture size."


class CalibrationError(MienError):
    """What distances mean is not known well enough."""

    code = "calibration_error"


class CalibrationInvalid(CalibrationError):
    """A file is no calibration, or not as it was written."""

    code = "calibration_invalid"
    default_hint = "Calibrate again: mien calibrate FOLDER; or delete the file, and the manifest decides."


class RateUnsupported(CalibrationError):
    """A false-match rate is asked for that no data supports."""

    code = "rate_unsupported"
    default_hint = "Ask for a larger rate, or calibrate with photographs of more people."


class SettingsError(MienError):
    """A setting has a value that cannot be used."""

    code = "settings_error"
