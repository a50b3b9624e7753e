#!/usr/bin/env bash
# Builds the image with buildah, as the user that calls it: no daemon. Out of what git has committed, so that nothing else gets in.
#   BASE         base image, by digest for a release; empty: a Debian root file system made here by mmdebstrap
#   BUILD_BASE   base of the build stage where BASE has no pip
#   OUT          folder for image.tar (OCI archive), sbom.json, provenance.json, digest [out/image]
#   BASES        folder that keeps that root file system [OUT/.base]
#   STORE        folder of buildah's images [OUT/.store]
#   REVISION     what to build [HEAD]
#   ISOLATION    of buildah's steps: chroot needs no privileges of a container host [chroot]
set -euo pipefail
cd "$(dirname "$0")/../.."
OUT="$(realpath -m "${OUT:-out/image}")"
REVISION="$(git rev-parse --verify "${REVISION:-HEAD}^{commit}")"
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct "$REVISION")"
export SOURCE_DATE_EPOCH
STORE="${STORE:-$OUT/.store}"
TOOLS=.cache/deploy-tools   # `make image` makes it
for tool in buildah git python3; do
  command -v "$tool" >/dev/null || { echo "no $tool on the PATH" >&2; exit 2; }
done
images() { buildah --root "$STORE/root" --runroot "$STORE/run" --storage-driver vfs "$@"; }
# buildah's defaults want a file that some distributions put elsewhere; only local images and what BASE names are used.
policy="$OUT/.policy.json"
mkdir -p "$OUT"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$policy"

if [ -z "${BASE:-}" ]; then
  BASE="$(deploy/image/debian-base.sh "${BASES:-$OUT/.base}" "$STORE")"
fi
source="$(mktemp -d)"
trap 'rm -rf "$source"' EXIT
git archive "$REVISION" | tar -x -C "$source"
created="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)"
version="$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/pyproject.toml")"
mounts=()
[ -e /etc/pip.conf ] && mounts+=(--volume /etc/pip.conf:/etc/pip.conf:ro)   # where this machine takes packages from
[ -n "${SSL_CERT_FILE:-}" ] && mounts+=(--volume "$SSL_CERT_FILE:/etc/ssl/certs/ca-certificates.crt:ro")
images build --signature-policy "$policy" --isolation "${ISOLATION:-chroot}" --network host --format oci \
  --timestamp "$SOURCE_DATE_EPOCH" --ignorefile "$source/deploy/image/ignored" "${mounts[@]}" \
  --build-arg "BASE=$BASE" --build-arg "BUILD_BASE=${BUILD_BASE:-$BASE}" \
  --build-arg "VERSION=$version" --build-arg "REVISION=$REVISION" --build-arg "CREATED=$created" \
  --file "$source/deploy/image/Containerfile" --tag lineledger:build "$source"
# What cannot be imported on this base is no image; help imports every command. Not a step of the Containerfile: it would leave files.
container="$(images from --signature-policy "$policy" lineledger:build)"
images run --isolation "${ISOLATION:-chroot}" "$container" -- /opt/lineledger/bin/lineledger --help >/dev/null
images rm "$container" >/dev/null
rm -f "$OUT/image.tar"
images push --signature-policy "$policy" --digestfile "$OUT/digest" lineledger:build "oci-archive:$OUT/image.tar:lineledger:$version"
base_digest="$(images inspect --type image --format '{{.FromImageDigest}}' "$BASE" 2>/dev/null || true)"
"$TOOLS/bin/python" deploy/image/statements.py --source "$source" --out "$OUT" --digest "$(cat "$OUT/digest")" --revision "$REVISION" \
  --base "$BASE" --base-digest "$base_digest" --version "$version" --created "$created"
echo "$OUT/image.tar $(cat "$OUT/digest")"
