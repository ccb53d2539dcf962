# SPDX-License-Identifier: Apache-2.0
"""The campaigns: which good files, which reader, and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.campaigns import boards, descriptors, models, networks, records, samples
from tests.support.campaigns.runner import Campaign

CAMPAIGNS: Mapping[str, Campaign] = {
    "descriptors": Campaign(descriptors.prepare, descriptors.attack, 20_000, 300),
    "samples": Campaign(samples.prepare, samples.attack, 20_000, 400),
    "models": Campaign(models.prepare, models.attack, 5_000, 60, isolated=True),
    "networks": Campaign(networks.prepare, networks.attack, 2_000, 20, isolated=True),
    "records": Campaign(records.prepare, records.attack, 5_000, 150),
    "streams": Campaign(boards.prepare_streams, boards.attack_stream, 20_000, 100),
    "guests": Campaign(boards.prepare_guests, boards.attack_guest, 500, 2),
}
