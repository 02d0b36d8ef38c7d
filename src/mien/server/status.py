"""HTTP status of errors. The table in `docs/server.md` is made from this one."""

from __future__ import annotations

from mien import errors as e

BY_ERROR: dict[type[e.MienError], int] = {
    e.MienError: 500,
    e.InputError: 422,
    e.BadRequest: 400,
    e.ImageTooLarge: 413,
    e.PackError: 503,
    # Nothing passes by waiting: somebody has to install what is missing.
    e.PackMissing: 501,
    e.ExtraMissing: 501,
    e.GalleryError: 500,
    e.PersonUnknown: 404,
    e.PersonExists: 409,
    e.FaceUnknown: 404,
    e.CollectionUnknown: 404,
    e.CollectionExists: 409,
    e.CaseUnknown: 404,
    e.SpaceMismatch: 409,
    e.ConsentExpired: 409,
    e.VersionStale: 412,
    e.StoreLocked: 503,
    e.StoreUnreachable: 503,
    e.StoreFull: 507,
    e.StoreReadOnly: 503,
    e.SourceError: 422,
    e.InferenceError: 500,
    e.OutOfMemory: 503,
    e.DeviceUnavailable: 503,
    e.CalibrationError: 409,
    e.ServiceError: 500,
    e.Unauthenticated: 401,
    e.Forbidden: 403,
    e.RateLimited: 429,
    e.Overloaded: 503,
    e.TimedOut: 504,
    e.RouteUnknown: 404,
    e.MethodRefused: 405,
    e.MediaTypeUnsupported: 415,
    e.BodyTooLarge: 413,
    e.RequestInProgress: 409,
    e.IdempotencyMismatch: 409,
    e.ApiKeyUnknown: 404,
    e.JobUnknown: 404,
    e.JobRefused: 409,
    e.SettingsError: 500,
}


def status_of(error: e.MienError) -> int:
    """The status of an error: that of its nearest ancestor in the table."""
    return next(BY_ERROR[kind] for kind in type(error).__mro__ if kind in BY_ERROR)
