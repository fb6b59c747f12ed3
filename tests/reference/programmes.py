"""Programmes as rules on claims, and the contracts under which avoided hospital care is paid, in whole numbers.

    claims with programmes = claims of the baseline, changed by programmes in the order of the list and by their rules
                             in the order of the file

Section 8 of the specification. Readings:
1. A rule looks at the claims of a person-year as rules and programmes before it left them. What a programme made is
   never selected again; what it repriced is still the same care and may be. Overlap counts once.
2. A claim belongs to the record that bears it (moments.record_of): the record says area and insurer. Claims of
   nothing or less are never selected; a correction stays.
3. `has`, `has_not` and `onset` look at the claims of the baseline, of the person, whoever paid. The first year kept
   is the first simulated one: `onset` is the first year with such a claim among the kept ones, and counts when it is
   not before start_year + start_after. Who is new stays so.
4. Age is in completed years on 1 January; of who is born in January the birthday is still to come.
5. The share of a year is share x ramp. A lasting draw is one number per person and rule, so that who is reached in a
   year is reached in all years with the same or a larger share. What follows is drawn per claim and year all the same.
6. `add` comes once per person-year with such a claim (without a selector: once per person-year), at the first record
   that takes part.
7. A fall is what the settled amount of a hospital claim loses, less what hospitals earn on the claims that follow it.
   Contracts go by falls, of any programme, in the area of the programme that they stand in. What an insurer saves is a
   share of the total of contract, year and insurer, rounded down; rows take it in order, in whole cents a row. The
   rounding and the addresses of draws were read off the core, for they are conventions; the rest was not.
8. price_rebase: the part won back is taken of what the insurer saved, and lies on the settled hospital claims left in
   the area, persons in order. What a contract goes on paying for care that is gone is no claim that is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .country import Category, Claim, Country, Record, year_of

MILLION = 1_000_000
PURPOSE = 3
"""Purpose::substitution, the second word of the key."""

EFFECTS = ("avoided", "replacement", "added", "referred_on", "downstream", "repriced", "price_rebase")


# Draws ----------------------------------------------------------------------------------------------------------

_MASK = (1 << 64) - 1


def philox(seed: int, purpose: int, counter: Sequence[int]) -> list[int]:
    """Philox4x64-10 (Salmon et al., SC11): four words of 64 bits for a key and a counter."""
    k0, k1 = seed & _MASK, purpose & _MASK
    a, b, c, d = (*counter, 0, 0, 0)[:4]
    for _ in range(10):
        p0, p1 = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
        a, b, c, d = (p1 >> 64) ^ b ^ k0, p1 & _MASK, (p0 >> 64) ^ d ^ k1, p0 & _MASK
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & _MASK, (k1 + 0xBB67AE8584CAA73B) & _MASK
    return [a, b, c, d]


def certain(share_ppm: int, ramp_ppm: int = MILLION) -> int:
    """Threshold of a draw in 64 bits: floor(share x ramp x 2^64); of a share of one every draw is below."""
    return (share_ppm * ramp_ppm << 64) // (MILLION * MILLION)


# Data -----------------------------------------------------------------------------------------------------------


@dataclass
class Selector:
    """An empty list means any; claims with a claimed amount above zero only."""

    categories: list[int] = field(default_factory=list)
    specialisms: list[int] = field(default_factory=list)
    diagnoses: list[int] = field(default_factory=list)
    products: list[tuple[int, int]] = field(default_factory=list)
    consult: bool | None = None
    min_cents: int = 0
    max_cents: int = 2**63 - 1

    def fits(self, claim: Claim) -> bool:
        """Does the claim, as it is now, belong to the selection?"""
        return (
            claim.claimed_cents > 0
            and self.min_cents <= claim.claimed_cents <= self.max_cents
            and (not self.categories or claim.category in self.categories)
            and (not self.specialisms or claim.specialism in self.specialisms)
            and (not self.diagnoses or claim.diagnosis in self.diagnoses)
            and (not self.products or any(a <= claim.product <= b for a, b in self.products))
            and self.consult in (None, claim.consult)
        )


@dataclass
class Who:
    min_age: int = 0
    max_age: int = 200
    sex: int = 0
    has: Selector | None = None
    has_not: Selector | None = None
    onset: Selector | None = None


@dataclass
class Consequence:
    category: int = int(Category.gp)
    price: int = 0
    probability_ppm: int = MILLION
    title: int = 0
    effect: str = "downstream"
    specialism: int = 0
    diagnosis: int = 0
    product: int = 0
    consult: bool = False
    ddd: int = 0


@dataclass
class Rule:
    key: str = "rule"
    claims: Selector = field(default_factory=Selector)
    who: Who = field(default_factory=Who)
    act: str = "avoid"
    per: str = "claim"
    share_ppm: int = MILLION
    factor_ppm: int = MILLION
    ddd_factor_ppm: int = MILLION
    consequences: list[Consequence] = field(default_factory=list)
    start_after: int = 0
    ramp_ppm: list[int] = field(default_factory=list)


@dataclass
class Contract:
    """kind is fee, ceiling, lump_sum or price_rebase."""

    insurers: list[int] = field(default_factory=list)
    kind: str = "fee"
    pass_through_ppm: int = MILLION
    over_ceiling_ppm: int = 0
    rebase_ppm: int = 500_000
    rebase_years: int = 3
    from_year: int = 0
    to_year: int = 9_999


@dataclass
class Programme:
    id: int
    start_year: int
    rules: list[Rule]
    ramp_ppm: list[int] = field(default_factory=lambda: [MILLION])
    end_year: int | None = None
    municipalities: list[int] = field(default_factory=list)
    hand_over_year: int | None = None
    hand_over_municipalities: list[int] = field(default_factory=list)
    insurers: list[int] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    pass_through_ppm: int = MILLION

    def active(self, year: int) -> bool:
        """From its first to its last year."""
        return self.start_year <= year and (self.end_year is None or year <= self.end_year)

    def covers(self, municipality: int, year: int) -> bool:
        """Is it there in that year?"""
        moved = self.hand_over_year is not None and year >= self.hand_over_year
        area = self.hand_over_municipalities if moved else self.municipalities
        return not area or municipality in area

    def threshold(self, rule: Rule, year: int) -> int:
        """Of the draws of a rule in a year: share times ramp, which starts when the rule does."""
        step = year - self.start_year - rule.start_after
        ramp = rule.ramp_ppm or self.ramp_ppm
        return 0 if step < 0 else certain(rule.share_ppm, ramp[min(step, len(ramp) - 1)])


@dataclass
class Movement:
    """What one intervention did to one claim."""

    person: int
    year: int
    insurer: int
    specialism: int
    consult: bool
    effect: str
    category: int
    settled: int
    claimed: int
    represents: int
    programme: int
    rule: int


@dataclass
class Fall:
    """Hospital production that was lost with one claim, in cents of its settled amount."""

    claim: Claim
    cents: int
    record: Record
    programme: int
    movement: Movement


@dataclass
class _Claim:
    claim: Claim
    made: bool = False


# Claims of a person-year -----------------------------------------------------------------------------------------


def age_on_first_january(birth_month: int, year: int) -> int:
    """Completed years on 1 January: who is born in January has the birthday still to come."""
    return max(0, (12 * year - 1 - birth_month) // 12)


def bearer(claim: Claim, records: list[Record]) -> Record:
    """The record that bears a claim: of its insurer, the one of the day it was opened, else the last one."""
    mine = [r for r in records if r.insurer == claim.insurer]
    inside = [r for r in mine if r.first_day <= claim.opened <= r.last_day]
    return inside[0] if inside else max(mine, key=lambda r: r.first_day)


def half_up(value: int, ppm: int) -> int:
    """value x ppm / 10^6, half up."""
    return (2 * value * ppm + MILLION) // (2 * MILLION)


@dataclass
class World:
    """The country with its programmes, from the first year kept on."""

    country: Country
    programmes: Sequence[Programme]
    first_year: int
    last_year: int
    seed: int
    movements: list[Movement] = field(default_factory=list)
    falls: list[Fall] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.records: dict[tuple[int, int], list[Record]] = {}
        for r in sorted(self.country.records, key=lambda r: (r.person, r.first_day)):
            self.records.setdefault((r.person, year_of(r.first_day)), []).append(r)
        self.baseline: dict[tuple[int, int], list[Claim]] = {}
        for c in sorted(self.country.claims, key=lambda c: (c.person, year_of(c.opened), c.claim)):
            self.baseline.setdefault((c.person, year_of(c.opened)), []).append(c)
        changed: list[Claim] = []
        for (_, year), claims in self.baseline.items():
            if not self.first_year <= year <= self.last_year:
                changed += claims
        for (person, year), records in sorted(self.records.items(), key=lambda item: (item[0][1], item[0][0])):
            if self.first_year <= year <= self.last_year:
                changed += self._person_year(person, year, records)
        self.left = changed
        changed = changed + self._contracts()
        self.changed = Country(self.country.records, changed)

    def _person_year(self, person: int, year: int, records: list[Record]) -> list[Claim]:
        claims = [_Claim(c) for c in self.baseline.get((person, year), [])]
        for at, programme in enumerate(self.programmes):
            if programme.active(year):
                for k, rule in enumerate(programme.rules):
                    if self._reaches(programme, rule, person, year, records):
                        claims = self._rule(at, k, person, year, records, claims)
        return [c.claim for c in claims]

    def _reaches(self, programme: Programme, rule: Rule, person: int, year: int, records: list[Record]) -> bool:
        who, own = rule.who, self.baseline.get((person, year), [])
        if not who.min_age <= age_on_first_january(records[0].birth_month, year) <= who.max_age:
            return False
        if who.sex and who.sex != records[0].sex:
            return False
        if who.has and not any(who.has.fits(c) for c in own):
            return False
        if who.has_not and any(who.has_not.fits(c) for c in own):
            return False
        if who.onset is None:
            return True
        kept = [y for y in range(self.first_year, self.last_year + 1) if (person, y) in self.baseline]
        new = next((y for y in kept if any(who.onset.fits(c) for c in self.baseline[person, y])), None)
        return new is not None and programme.start_year + rule.start_after <= new <= year

    def _rule(
        self, at: int, k: int, person: int, year: int, records: list[Record], claims: list[_Claim]
    ) -> list[_Claim]:
        programme = self.programmes[at]
        rule = programme.rules[k]
        threshold = programme.threshold(rule, year)

        def takes_part(claim: Claim) -> bool:
            record = bearer(claim, records)
            here = programme.covers(record.municipality, year)
            return here and (not programme.insurers or claim.insurer in programme.insurers)

        hit = [c for c in claims if not c.made and rule.claims.fits(c.claim) and takes_part(c.claim)]
        if rule.act == "add":
            return self._add(at, k, person, year, records, claims, hit, threshold)
        result: list[_Claim] = []
        for c in claims:
            if not any(c is h for h in hit) or self._draw(programme, k, rule, person, year, c.claim.claim) >= threshold:
                result.append(c)
                continue
            record = bearer(c.claim, records)
            if rule.act == "reprice":
                result.append(_Claim(self._reprice(at, k, c.claim, record)))
                result += self._follow(at, k, c.claim, record, c.claim.claim)
                continue
            movement = self._moved(at, k, c.claim, record, "avoided", -c.claim.settled_cents, -c.claim.claimed_cents)
            follow = self._follow(at, k, c.claim, record, c.claim.claim)
            if c.claim.category == Category.hospital:
                earned = sum(f.claim.settled_cents for f in follow if f.claim.category == Category.hospital)
                self._fell(Fall(c.claim, c.claim.settled_cents - earned, record, at, movement))
            result += follow
        return result

    def _reprice(self, at: int, k: int, claim: Claim, record: Record) -> Claim:
        rule = self.programmes[at].rules[k]
        new = replace(
            claim,
            claimed_cents=half_up(claim.claimed_cents, rule.factor_ppm),
            settled_cents=half_up(claim.settled_cents, rule.factor_ppm),
            ddd=half_up(claim.ddd, rule.ddd_factor_ppm),
        )
        less, claimed = new.settled_cents - claim.settled_cents, new.claimed_cents - claim.claimed_cents
        movement = self._moved(at, k, claim, record, "repriced", less, claimed)
        if claim.category == Category.hospital:
            self._fell(Fall(claim, -less, record, at, movement))
        return new

    def _fell(self, fall: Fall) -> None:
        if fall.cents > 0:
            self.falls.append(fall)

    def _add(
        self,
        at: int,
        k: int,
        person: int,
        year: int,
        records: list[Record],
        claims: list[_Claim],
        hit: list[_Claim],
        threshold: int,
    ) -> list[_Claim]:
        """Once per person-year with such a claim, without a selector per person-year; at the first record that takes
        part."""
        programme, rule = self.programmes[at], self.programmes[at].rules[k]
        here = [
            r
            for r in records
            if programme.covers(r.municipality, year) and (not programme.insurers or r.insurer in programme.insurers)
        ]
        if rule.claims != Selector() and not hit:
            here = []
        if not here or self._draw(programme, k, rule, person, year, None) >= threshold:
            return claims
        like = Claim(person, here[0].first_day, here[0].first_day, 0, 0, insurer=here[0].insurer)
        return claims + self._follow(at, k, like, here[0], None)

    def _follow(self, at: int, k: int, claim: Claim, record: Record, rank: int | None) -> list[_Claim]:
        """Claims that come with it, each by a draw of its own."""
        programme = self.programmes[at]
        made = []
        year = year_of(claim.opened)
        for n, c in enumerate(programme.rules[k].consequences):
            word = self.draw(programme.id, k, claim.person, year, rank, 1 + n)
            if word < certain(c.probability_ppm):
                new = Claim(
                    claim.person,
                    claim.opened,
                    claim.opened,
                    c.price,
                    c.price,
                    product=c.product,
                    insurer=record.insurer,
                    specialism=c.specialism,
                    diagnosis=c.diagnosis,
                    ddd=c.ddd,
                    category=c.category,
                    consult=c.consult,
                    title=c.title,
                )
                made.append(_Claim(new, made=True))
                self._moved(at, k, new, record, c.effect, c.price, c.price)
        return made

    def _draw(self, programme: Programme, k: int, rule: Rule, person: int, year: int, rank: int | None) -> int:
        if rule.per == "person":
            return self.draw(programme.id, k, person, None, None, 0)
        return self.draw(programme.id, k, person, year, rank, 0)

    def draw(self, programme: int, rule: int, person: int, year: int | None, rank: int | None, number: int) -> int:
        """First word at (person; year and rank of the claim; id of the programme; rule and consequence).

        The rank of a person-year is the largest number of 32 bits; a lasting draw has no year, all bits set. Rules and
        consequences count from 1; consequence 0 is the draw that decides on the claim.
        """
        slot = _MASK if year is None else (year << 32) | (0xFFFF_FFFF if rank is None else rank)
        return philox(self.seed, PURPOSE, (person, slot, programme, (rule + 1) | (number << 32)))[0]

    def _moved(
        self, at: int, k: int, claim: Claim, record: Record, effect: str, settled: int, claimed: int
    ) -> Movement:
        movement = Movement(
            claim.person,
            year_of(claim.opened),
            claim.insurer,
            claim.specialism,
            claim.consult,
            effect,
            claim.category,
            settled,
            claimed,
            record.represents,
            at,
            k + 1,
        )
        self.movements.append(movement)
        return movement

    # Contracts

    def _contracts(self) -> list[Claim]:
        """What insurers go on paying of lost production, and higher prices after it: settled and not claimed."""
        groups: dict[tuple[int, int, int, int], list[Fall]] = {}
        paid: list[Claim] = []
        for fall in self.falls:
            year = year_of(fall.claim.opened)
            bound = self._contract(fall.claim.insurer, fall.record.municipality, year)
            if bound is not None:
                groups.setdefault((year, *bound, fall.claim.insurer), []).append(fall)
                continue
            part = MILLION - self.programmes[fall.programme].pass_through_ppm
            self._keep(fall, fall.cents * part // MILLION, paid)
        due: dict[tuple[int, int, int, int], int] = {}
        for (year, at, number, insurer), falls in groups.items():
            contract = self.programmes[at].contracts[number]
            lost = sum(f.cents * f.record.represents for f in falls)
            saved = lost * contract.pass_through_ppm // MILLION
            if contract.kind == "ceiling":
                over = self.production(at, year, insurer) * contract.over_ceiling_ppm // MILLION
                saved = max(0, lost - over)
            parts = spread(saved, [(f.cents, f.record.represents) for f in falls])
            for fall, part in zip(falls, parts, strict=True):
                self._keep(fall, fall.cents - min(part, fall.cents), paid)
            if contract.kind == "price_rebase":
                given = sum(part * f.record.represents for f, part in zip(falls, parts, strict=True))
                won = given * contract.rebase_ppm // MILLION
                n = contract.rebase_years
                for j in range(1, n + 1):
                    key = (year + j, at, number, insurer)
                    due[key] = due.get(key, 0) + won * j // n - won * (j - 1) // n
        for (year, at, _, insurer), cents in sorted(due.items()):
            if year <= self.last_year and cents:
                paid += self._surcharge(at, year, insurer, cents)
        return paid

    def _contract(self, insurer: int, municipality: int, year: int) -> tuple[int, int] | None:
        """Programme and number of the contract that binds an insurer there and then."""
        for at, programme in enumerate(self.programmes):
            for number, c in enumerate(programme.contracts):
                dated = c.from_year <= year <= c.to_year
                if dated and (not c.insurers or insurer in c.insurers) and programme.covers(municipality, year):
                    return at, number
        return None

    def production(self, at: int, year: int, insurer: int) -> int:
        """Settled hospital claims of the baseline in the area, represented."""
        total = 0
        for (person, y), claims in self.baseline.items():
            for c in claims if y == year else []:
                record = bearer(c, self.records[person, year])
                if c.category == Category.hospital and c.insurer == insurer:
                    total += c.settled_cents * record.represents * self.programmes[at].covers(record.municipality, year)
        return total

    def _keep(self, fall: Fall, kept: int, paid: list[Claim]) -> None:
        if kept:
            fall.movement.settled += kept
            paid.append(replace(fall.claim, claimed_cents=0, settled_cents=kept, consult=True, ddd=0, prescriptions=0))

    def _surcharge(self, at: int, year: int, insurer: int, cents: int) -> list[Claim]:
        """Lost revenue won back on the hospital claims that are left, in order of persons."""
        left: dict[int, int] = {}
        for c in self.left:
            if year_of(c.opened) == year and c.insurer == insurer and c.category == Category.hospital:
                record = bearer(c, self.records[c.person, year])
                if self.programmes[at].covers(record.municipality, year):
                    left[c.person] = left.get(c.person, 0) + c.settled_cents
        rows = [(person, self.records[person, year][0], cost) for person, cost in sorted(left.items()) if cost > 0]
        made = []
        for (person, _, _), more in zip(
            rows, spread(cents, [(cost, r.represents) for _, r, cost in rows]), strict=True
        ):
            if more:
                record = next(
                    r
                    for r in self.records[person, year]
                    if r.insurer == insurer and self.programmes[at].covers(r.municipality, year)
                )
                claim = Claim(person, record.first_day, record.first_day, 0, more, insurer=insurer, consult=True)
                movement = self._moved(at, -1, claim, record, "price_rebase", more, 0)
                movement.consult = False
                made.append(claim)
        return made


def spread(total: int, rows: list[tuple[int, int]]) -> list[int]:
    """A total over rows (weight, represented) in order: whole cents a row, all rows up to here their share of the
    total."""
    weight = sum(w * n for w, n in rows)
    parts, seen, given = [], 0, 0
    for w, n in rows:
        seen += w * n
        part = (total * seen // weight - given) // n if weight else 0
        parts.append(part)
        given += part * n
    return parts
