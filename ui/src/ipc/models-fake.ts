/** `ModelsIpc` without a program behind it. */
import type { CatalogueEntry } from './bindings/CatalogueEntry';
import type { ModelEntry } from './bindings/ModelEntry';
import type { ModelManifest } from './bindings/ModelManifest';
import type { Outgoing } from './bindings/Outgoing';
import type { OnnxParams } from './bindings/OnnxParams';
import type { ModelsIpc } from './models';

export interface ModelsFake {
  /** Time between two tenths of a model that is fetched. */
  readonly fetchPace: { millis: number };
}

/** `models` is the list that the rest of the fake shows, too. */
export function fakeModels(calls: string[], models: ModelEntry[]): ModelsIpc & ModelsFake {
  const fetchPace = { millis: 60 };
  const look = (file: OnnxParams): ModelManifest => {
    if (!file.path.endsWith('.onnx')) {
      throw {
        code: 'model_invalid',
        message: 'This model cannot be a node: it is not an ONNX file.',
        hint: 'A node runs models that take one picture and give one; choose another file.',
        details: null,
      };
    }
    return {
      version: 1,
      id: 'onnx-anime-x2-3ace193e',
      name: 'anime-x2',
      task: 'upscale',
      scale: 2,
      file: 'model.onnx',
      sha256: '3ace193e'.repeat(8),
      size_bytes: 2_490_000,
      licence: { spdx: 'LicenseRef-unknown', attribution: null },
      input: { name: 'input', layout: 'nchw', color: file.color ?? 'rgb', range: file.range ?? 'unit', type: 'float32' },
      output: { name: 'output', layout: 'nchw', packing: 'pixels' },
      tile: { overlap: 19, feather: 0, multiple: 1, min: 16, max: null, preferred: 256 },
      restyles: true,
      summary: {},
    };
  };
  const catalogue = [
    fromCatalogue('nomos-uni-x2', 'Nomos Uni Compact x2', 2_412_381, {
      spdx: 'CC-BY-4.0',
      attribution: '2x NomosUni compact otf medium by helaman, CC BY 4.0',
      url: 'https://creativecommons.org/licenses/by/4.0/',
      class: 'attribution',
    }),
    fromCatalogue('espcn-x3', 'ESPCN x3', 239_811, {
      spdx: 'MIT',
      attribution: null,
      url: 'https://spdx.org/licenses/MIT.html',
      class: 'free',
    }, 3),
  ];
  const sent: Outgoing[] = [];
  const givenUp = new Set<string>();
  return {
    fetchPace,
    catalogue: async () => ({ version: 1, expires_millis: 1_859_155_200_000, is_old: false, models: catalogue.map((entry) => ({ ...entry })) }),
    getModel: async (id, source, onProgress) => {
      calls.push(`get ${id} from ${source.kind === 'path' ? source.path : source.kind}`);
      const entry = catalogue.find(({ model }) => model.manifest.id === id);
      if (!entry) throw { code: 'model_not_found', message: `The catalogue has no model ${id}.`, hint: null, details: null };
      const { manifest } = entry.model;
      if (source.kind === 'path' && !source.path.includes(id)) {
        throw {
          code: 'model_invalid',
          message: `${source.path} does not hold the weights of the model ${id}.`,
          hint: 'Its SHA-256 is another.',
          details: null,
        };
      }
      givenUp.delete(id);
      const note = (status: number, received: number, error: string | null) => {
        if (source.kind !== 'catalogue') return;
        const address = entry.model.addresses[0] ?? '';
        sent.unshift({
          id: sent.length + 1,
          at_millis: 1_795_400_000_000 + sent.length * 60_000,
          purpose: { kind: 'model', id },
          method: 'GET',
          host: new URL(address).host,
          address,
          headers: 'accept: */*\naccept-encoding: identity\nuser-agent: Frameloom/0.1.0',
          end: { status, received_bytes: received, error },
        });
      };
      const part = manifest.size_bytes / 10;
      for (let done = entry.there_bytes + part; done < manifest.size_bytes; done += part) {
        onProgress(Math.round(done));
        const next = Date.now() + fetchPace.millis;
        while (Date.now() < next && !givenUp.has(id)) await new Promise((resolve) => setTimeout(resolve, 10));
        if (givenUp.has(id)) {
          entry.there_bytes = Math.round(done);
          note(200, entry.there_bytes, 'given up');
          throw { code: 'cancelled', message: 'Given up.', hint: null, details: null };
        }
      }
      note(200, manifest.size_bytes, null);
      entry.there_bytes = 0;
      const added: ModelEntry = { id, manifest, state: 'ready', message: null, bundled: false };
      models.push(added);
      return added;
    },
    giveUpModel: async (id) => {
      givenUp.add(id);
    },
    outgoing: async (before, limit) => sent.filter(({ id }) => before === null || id < before).slice(0, limit),
    outgoingHosts: async () => ['raw.githubusercontent.com'],
    lookAtModel: async (file) => {
      calls.push(`look at ${file.path} ${file.range ?? '-'} ${file.color ?? '-'}`);
      return look(file);
    },
    importModel: async (request) => {
      calls.push(`import ${request.name} ${request.licence} ${request.faithful ? 'faithful' : 'free'}`);
      const found = look(request.file);
      const entry: ModelEntry = {
        id: request.id ?? found.id,
        manifest: {
          ...found,
          name: request.name ?? found.name,
          licence: { spdx: request.licence ?? found.licence.spdx, attribution: request.credit },
          restyles: !request.faithful,
        },
        state: 'ready',
        message: null,
        bundled: false,
      };
      models.push(entry);
      return entry;
    },
    removeModel: async (id) => {
      calls.push(`remove model ${id}`);
      models.splice(0, models.length, ...models.filter((model) => model.id !== id));
      return [...models];
    },
  };
}

function fromCatalogue(id: string, name: string, size_bytes: number, licence: NonNullable<ModelEntry['manifest']>['licence'], scale = 2): CatalogueEntry {
  const triples = { en: 'Triples clean pictures and video fast and faithfully.', vi: 'Phóng to gấp ba ảnh và video sạch, nhanh và trung thực.', fr: 'Triple vite et fidèlement les images et vidéos propres.' };
  const doubles = { en: 'Doubles photographs and video and takes noise and blocks out on the way.', vi: 'Phóng to gấp đôi ảnh chụp và video, đồng thời khử nhiễu và vỡ khối.', fr: 'Double photos et vidéos en retirant au passage le bruit et les blocs.' };
  const texts = scale === 3 ? triples : doubles;
  const commit = '0bd6df436d299025da951982a7e23939ea4e416d';
  return {
    installed: false,
    there_bytes: 0,
    model: {
      manifest: {
        version: 1,
        id,
        name,
        task: 'upscale',
        scale,
        file: 'model.onnx',
        sha256: (id.length % 10).toString().repeat(64),
        size_bytes,
        licence,
        input: { name: 'input', layout: 'nchw', color: 'rgb', range: 'unit', type: 'float32' },
        output: { name: 'output', layout: 'nchw', packing: 'pixels' },
        tile: { overlap: 18, feather: 0, multiple: 1, min: 32, max: null, preferred: 256 },
        restyles: true,
        summary: texts,
      },
      addresses: [`https://raw.githubusercontent.com/maker/models/${commit}/${id}.onnx`],
      origin: { repository: 'https://github.com/maker/models', commit, path: `${id}.onnx` },
      memory_bytes: 288_997_376,
      quality: texts,
      minimum_program: '0.1.0',
    },
  };
}
