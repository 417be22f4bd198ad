import { optional, scalar } from '../column-types.ts';
import type { DatabaseSchema } from '../schema.ts';

/** The part of the `_Server` database (ovsdb-server(5)) that a client chooses its server by. */
export const serverSchema: DatabaseSchema = {
  name: '_Server',
  version: '1.2.0',
  tables: {
    Database: {
      isRoot: true,
      indexes: [],
      columns: {
        name: scalar('string'),
        model: scalar('string'),
        connected: scalar('boolean'),
        leader: scalar('boolean'),
        cid: optional('uuid'),
        index: optional('integer'),
      },
    },
  },
};
