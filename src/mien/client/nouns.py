"""What can be asked, in one table for both clients."""

from __future__ import annotations

from mien.client.calls import (
    audit,
    calibration,
    cases,
    clusters,
    collections,
    faces,
    jobs,
    keys,
    looking,
    people,
    recognising,
    service,
)
from mien.client.operations import Bound, Following, Listing, Operation, Procedure, S


class Collections(Bound[S]):
    """`client.collections`: people of one purpose."""

    list = Listing(collections.listed)
    create = Operation(collections.create)
    get = Operation(collections.get)
    forget = Operation(collections.forget)
    sweep = Operation(collections.sweep)


class People(Bound[S]):
    """`client.people`: who is known."""

    list = Listing(people.listed)
    enroll = Operation(people.enroll)
    get = Operation(people.get)
    edit = Operation(people.edit)
    forget = Operation(people.forget)
    faces = Listing(people.faces)
    add = Operation(people.add)
    merge = Operation(people.merge)
    split = Operation(people.split)
    verify = Operation(people.verify)


class Faces(Bound[S]):
    """`client.faces`: single faces that are kept."""

    get = Operation(faces.get)
    crop = Operation(faces.crop)
    forget = Operation(faces.forget)
    move = Operation(faces.move)


class Clusters(Bound[S]):
    """`client.clusters`: groups of faces that nobody has named yet."""

    list = Listing(clusters.listed)
    add = Operation(clusters.add)
    name = Operation(clusters.name)
    merge = Operation(clusters.merge)
    move = Operation(clusters.move)


class Cases(Bound[S]):
    """`client.cases`: missing persons."""

    list = Listing(cases.listed)
    create = Operation(cases.create)
    get = Operation(cases.get)
    run = Operation(cases.run)
    review = Operation(cases.review)
    forget = Operation(cases.forget)
    picture = Operation(cases.shown)


class Calibrations(Bound[S]):
    """`client.calibration`: what distances mean."""

    get = Operation(calibration.get)
    measure = Operation(calibration.measure)
    forget = Operation(calibration.forget)


class Audits(Bound[S]):
    """`client.audit`: who did what and when."""

    list = Listing(audit.listed)
    verify = Operation(audit.verify)


class Keys(Bound[S]):
    """`client.keys`: who may ask."""

    list = Listing(keys.listed)
    create = Operation(keys.create)
    edit = Operation(keys.edit)
    rotate = Operation(keys.rotate)
    revoke = Operation(keys.revoke)


class Jobs(Bound[S]):
    """`client.jobs`: long work."""

    list = Listing(jobs.listed)
    create = Operation(jobs.create)
    add = Operation(jobs.add)
    start = Operation(jobs.start)
    get = Operation(jobs.get)
    events = Following(jobs.events)
    wait = Procedure(jobs.wait)
    run = Procedure(jobs.run)
    cancel = Operation(jobs.cancel)
    results = Listing(jobs.results)
    forget = Operation(jobs.forget)


class Operations(Bound[S]):
    """Everything that a client can ask: verbs by themselves, the rest by its noun."""

    live = Operation(service.live)
    ready = Operation(service.ready)
    me = Operation(service.me)
    system = Operation(service.system)
    packs = Listing(service.packs)

    detect = Operation(looking.detect)
    analyze = Operation(looking.analyze)
    liveness = Operation(looking.liveness)
    anonymise = Operation(looking.anonymise)
    verify = Operation(looking.verify)
    embeddings = Operation(looking.embeddings)

    identify = Operation(recognising.identify)
    search = Operation(recognising.search)

    def __init__(self, sender: S) -> None:
        super().__init__(sender)
        self.collections = Collections(sender)
        self.people = People(sender)
        self.faces = Faces(sender)
        self.clusters = Clusters(sender)
        self.cases = Cases(sender)
        self.calibration = Calibrations(sender)
        self.audit = Audits(sender)
        self.keys = Keys(sender)
        self.jobs = Jobs(sender)
