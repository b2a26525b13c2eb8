// @asymmetrik/node-fhir-server-core with everything in memory: what is run in the peer's folder.
//
// As https://github.com/bluehalo/node-fhir-server-core shows it: a service for each type, handed to
// `initialize`. It keeps maps by id and by identifier. Run as `node node_core_app.js PORT`.
const { createRequire } = require('module');
const { randomUUID } = require('crypto');
const required = createRequire(process.cwd() + '/');
const FHIRServer = required('@asymmetrik/node-fhir-server-core');

const TYPES = [
  'Patient', 'Location', 'Organization', 'Practitioner', 'Encounter', 'Observation',
  'MedicationRequest', 'Claim', 'ExplanationOfBenefit',
];
const PAGE_MAX = 100;
const { VERSIONS } = FHIRServer.constants;

function serviceOf(type) {
  const kept = new Map();
  const byIdentifier = new Map();
  const { resolveSchema, ServerError } = FHIRServer;
  const Model = resolveSchema('4_0_1', type.toLowerCase());
  const Bundle = resolveSchema('4_0_1', 'bundle');

  function put(id, body) {
    const resource = new Model({ ...body, id });
    kept.set(id, resource);
    for (const each of [].concat(body.identifier || [])) {
      byIdentifier.set(`${each.system}|${each.value}`, id);
    }
    return { id, resource_version: '1' };
  }

  function named(prefix) {
    const found = [];
    for (const resource of kept.values()) {
      if ((resource.name || []).some((name) => (name.family || '').toLowerCase().startsWith(prefix))) {
        found.push(resource);
        if (found.length === PAGE_MAX) break;
      }
    }
    return found;
  }

  return {
    async create(args, { req }) {
      return put(randomUUID(), req.body);
    },
    async update(args, { req }) {
      return { ...put(args.id, req.body), created: false };
    },
    async searchById(args) {
      const found = kept.get(args.id);
      if (!found) {
        throw new ServerError('not found', { statusCode: 404, issue: [] });
      }
      return found;
    },
    async search(args, { req }) {
      const { identifier, family } = req.query;
      const id = identifier && byIdentifier.get(identifier);
      const found = identifier ? (id ? [kept.get(id)] : []) : named((family || '').toLowerCase());
      const entry = found.slice(0, 10).map((resource) => ({ resource }));
      return new Bundle({ type: 'searchset', total: found.length, entry });
    },
    async remove(args) {
      return { deleted: kept.delete(args.id) ? 1 : 0 };
    },
  };
}

const profiles = {};
for (const type of TYPES) {
  profiles[type] = { service: serviceOf(type), versions: [VERSIONS['4_0_1']] };
}
const server = FHIRServer.initialize({ profiles, logging: { level: 'error' } });
server.listen(Number(process.argv[2]), () => {});
