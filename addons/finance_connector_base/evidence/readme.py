"""The README of an export."""

README = """\
Export of the audit trail of Finance Connect
============================================

manifest.json    when, by whom and for what this export was made, and the SHA-256 of each file
manifest.sig     signature (Ed25519) of manifest.json
public_key.pem   the key that the signature belongs to
events.jsonl     the events, one a line: who, what, when, which record, which amounts
details.jsonl    names and free text of events, as far as they were not erased
proofs.jsonl     one line for each event: the seal it is in, and its path in the tree of that seal
seals/           the seals that these events are in, each with its signature
keys/            the keys that signed these seals


1. Is it the right key?

   Print its fingerprint and compare it with the one you have from elsewhere: noted earlier from
   Odoo (Finance Connect, Evidence, Seals), from the mails with the head, or from the head file.

      openssl pkey -pubin -in public_key.pem -outform DER | openssl dgst -sha256

2. Is the export as it was made?

      openssl pkeyutl -verify -pubin -inkey public_key.pem -rawin -in manifest.json \\
              -sigfile manifest.sig

   "Signature Verified Successfully" is the right answer (OpenSSL 3). Then compare the digest of
   each file with the one in manifest.json:

      openssl dgst -sha256 *.jsonl *.txt *.pem seals/* keys/*

3. Was an event sealed, and when?

   Take its seal from proofs.jsonl, 12 say. The seal names its time ("at"), its key
   ("fingerprint"), the seal before it and the root of the tree over its events. Is it signed?

      openssl pkeyutl -verify -pubin -inkey keys/<fingerprint>.pem -rawin \\
              -in seals/00000012.json -sigfile seals/00000012.sig

   The digest of the event, here of the one in line 3:

      (printf '\\000'; sed -n 3p events.jsonl | tr -d '\\n') | openssl dgst -sha256

   From this digest the "path" in proofs.jsonl leads to the "root" in the seal: at each step put the
   two digests together, left one first, with a byte 01 in front, and take the SHA-256 (RFC 6962,
   section 2.1.1). At a step where the position is the last of its row and even, there is nothing to
   put together and no step in the path.

4. Do the details belong to the event?

   The "text" of a line in details.jsonl, as it stands between the quotes after JSON decoding, has
   the SHA-256 that the event holds as "detail".

All of this at once, without Odoo (Python with the library cryptography; a copy of the addon's
folders evidence and vault is enough):

      python finance_connector_base/evidence verify <this zip> --public-key <fingerprint>

What this proves: each of these events is what it was when it was sealed, at the time of its seal.
What it doesn't: that nothing else happened, or that what was recorded is true.
"""
