# SPDX-License-Identifier: Apache-2.0
# Ethosmith with all that it installs by itself: .venv, the Arm compiler, QEMU.
#   docker build -t ethosmith .
#   docker run --rm -v "$PWD/usecases:/work/usecases" -w /work ethosmith usecase=door target=fvp
FROM debian:12-slim

# The rest is installed by ./scons, from ethosmith/environment/system_packages.toml.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

COPY . /ethosmith
RUN /ethosmith/scons --version && rm -rf /var/lib/apt/lists/*

ENV PATH=/ethosmith/.venv/bin:$PATH
WORKDIR /ethosmith
ENTRYPOINT ["/ethosmith/scons"]
