"""Replicates the same tables and columns with python-ovs, once: python-idl.py REMOTE SCHEMA TABLE=COLUMN,… …"""

import sys

import ovs.db.idl
import ovs.poller

remote, schema, *tables = sys.argv[1:]
helper = ovs.db.idl.SchemaHelper(schema)
for table in tables:
    name, columns = table.split("=")
    helper.register_columns(name, columns.split(","))
idl = ovs.db.idl.Idl(remote, helper)
while not idl.has_ever_connected():
    idl.run()
    poller = ovs.poller.Poller()
    idl.wait(poller)
    if not idl.has_ever_connected():
        poller.block()
