#!/usr/bin/env bash
# A base image where no registry is at hand: a Debian root file system with Python, by mmdebstrap, imported into buildah's store.
#   debian-base.sh CACHE STORE    prints the image's name
set -euo pipefail
cache="$1" store="$2" suite="${SUITE:-bookworm}"
command -v mmdebstrap >/dev/null || { echo "no mmdebstrap on the PATH, and no BASE given" >&2; exit 2; }
mkdir -p "$cache"
made="$cache/$suite-$(sha256sum "$0" | head -c 12).tar"   # another script makes another one
if [ ! -e "$made" ]; then
  mmdebstrap --quiet --variant=essential --include=python3,python3-venv,libstdc++6,ca-certificates \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook='find "$1" -xdev -type f -perm /6000 -exec chmod a-s {} +' \
    "$suite" "$made.part.tar" "${MIRROR:-http://deb.debian.org/debian}" >&2
  mv "$made.part.tar" "$made"
fi
images() { buildah --root "$store/root" --runroot "$store/run" --storage-driver vfs "$@"; }
container="$(images from scratch)"
images add --quiet "$container" "$made" / >&2
images config --created-by "debian-base.sh $suite" "$container"
images commit --quiet --rm --timestamp "${SOURCE_DATE_EPOCH:-0}" "$container" "lineledger-base:$suite" >&2
echo "localhost/lineledger-base:$suite"
