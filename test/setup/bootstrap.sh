#!/bin/sh
# Brings in the npm packages, the pinned Node among them, before anything of ours can run. `npm run` puts
# node_modules/.bin first on the PATH, so that what follows in the same script line is run by that Node.
set -eu
cd "$(dirname "$0")/../.."
[ "$(uname -s)" = Linux ] || { echo "hawser: this needs Linux; here is $(uname -s)." >&2; exit 1; }
stamp=node_modules/.hawser-lock
want=$(sha256sum package-lock.json | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$want" ]; then
  echo "setup: npm packages (npm ci)"
  npm ci --no-progress --loglevel=error || { echo "hawser: npm ci failed; is the npm registry reachable?" >&2; exit 1; }
  # An npm that withholds install scripts leaves the pinned Node out; this is the script it would have run.
  [ -x node_modules/.bin/node ] || (cd node_modules/node && node installArchSpecificPackage) >/dev/null
  node_modules/.bin/node --version >/dev/null || { echo "hawser: the pinned Node did not install; remove node_modules and try again." >&2; exit 1; }
  echo "$want" > "$stamp"
fi
