"""Every error that Mien raises on purpose.

    MienError               .code (stable string)  .hint (what to do)
    + InputError            UnreadableImage  ImageTooLarge  NoFace  ManyFaces  FaceRefused  BadRequest
    + PackError             PackMissing  PackCorrupt  ManifestInvalid  LicenceNotAccepted
    |                       DownloadFailed  ConversionFailed  ExtraMissing
    + GalleryError          PersonUnknown  PersonExists  FaceUnknown  CollectionUnknown  CollectionExists
    |                       SpaceMismatch  ConsentExpired  VersionStale  CaseUnknown  IndexStale  AuditBroken
    |                       StoreLocked  StoreNewer  StoreCorrupt  StoreFull  StoreReadOnly  StoreUnreachable
    |                       KeyWrong  KeyMissing
    + SourceError           StreamLost  UnreadableVideo
    + InferenceError        DeviceUnavailable  OutOfMemory
    + CalibrationError      CalibrationInvalid  RateUnsupported
    + ServiceError          Unauthenticated  Forbidden  RateLimited  Overloaded  TimedOut  ServerUnreachable
    |                       RouteUnknown  MethodRefused  MediaTypeUnsupported  BodyTooLarge
    |                       RequestInProgress  IdempotencyMismatch  ApiKeyUnknown  JobUnknown  JobRefused
    + SettingsError

A message says what happened, `hint` says what to do about it, `code` never changes between
versions. Doors translate codes: exit codes in `mien.cli.exits`, HTTP status in the server.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self


class MienError(Exception):
    """Base of every deliberate error; the class is the code, the instance the occasion.

    Args:
        message: What happened, naming the file, person or option concerned.
        hint: What the reader can do about it; a class may bring a default.

    Attributes:
        details: More for programs, as JSON; None: there is no more.
    """

    code: ClassVar[str] = "mien_error"
    details: dict[str, Any] | None = None
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


class VersionStale(GalleryError):
    """Somebody else has changed it since it was looked at."""

    code = "version_stale"
    default_hint = "Look again, then repeat."


class CaseUnknown(GalleryError):
    """There is no such case of a missing person."""

    code = "case_unknown"


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


class ServiceError(MienError):
    """The server refuses.

    Args:
        message: What happened.
        hint: What to do about it.
        retry_after_s: When it may be tried again; None: whenever.
    """

    code = "service_error"

    def __init__(self, message: str, *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Unauthenticated(ServiceError):
    """A key is needed, and none was given that is valid."""

    code = "unauthenticated"
    default_hint = (
        "Send a key: Authorization: Bearer KEY, or x-api-key: KEY. Keys are made by mien keys create."
    )


class Forbidden(ServiceError):
    """The key is valid, and not for this."""

    code = "forbidden"


class RateLimited(ServiceError):
    """The key has used up its requests of this minute."""

    code = "rate_limited"
    default_hint = "Wait as long as the header Retry-After says."


class Overloaded(ServiceError):
    """As much work waits as is allowed to."""

    code = "overloaded"
    default_hint = "Wait as long as the header Retry-After says, then repeat."


class TimedOut(ServiceError):
    """The answer did not come within the time that is allowed for it."""

    code = "timed_out"
    default_hint = "Repeat, with a smaller picture or fewer columns if that does not help."


class ServerUnreachable(ServiceError):
    """The server does not answer, or answers something else than Mien."""

    code = "server_unreachable"
    default_hint = "Check the address, and that the server is running."


class RouteUnknown(ServiceError):
    """Nothing is at this address."""

    code = "route_unknown"
    default_hint = "What there is: /docs"


class MethodRefused(ServiceError):
    """The address is right, and the method is not."""

    code = "method_refused"
    default_hint = "What there is: /docs"


class MediaTypeUnsupported(ServiceError):
    """The body of a request is of a kind that is not understood."""

    code = "media_type_unsupported"
    default_hint = "Send multipart/form-data, JSON with the photograph in base64, or the photograph itself."


class BodyTooLarge(ServiceError):
    """The body of a request is larger than allowed."""

    code = "body_too_large"


class RequestInProgress(ServiceError):
    """A request of the same idempotency key is being worked on."""

    code = "request_in_progress"
    default_hint = "Wait for its answer, then repeat."


class IdempotencyMismatch(ServiceError):
    """An idempotency key was used before, for another request."""

    code = "idempotency_mismatch"
    default_hint = "Use a fresh key for each request, and the same one only to repeat it."


class ApiKeyUnknown(ServiceError):
    """There is no such API key."""

    code = "api_key_unknown"


class JobUnknown(ServiceError):
    """There is no such job, or it is somebody else's."""

    code = "job_unknown"


class JobRefused(ServiceError):
    """A job cannot do this in its state."""

    code = "job_refused"


class SettingsError(MienError):
    """A setting has a value that cannot be used."""

    code = "settings_error"
