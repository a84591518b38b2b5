/** Parquet for the files connector: the codecs that belong to Node, and to a library where Node has none. */
import * as zlib from "node:zlib"
import { ParquetDecoder } from "../../formats/parquet/parquet-decoder.ts"
import { ParquetEncoder } from "../../formats/parquet/parquet-encoder.ts"
import { footerBytes, readFooter } from "../../formats/parquet/footer.ts"
import type { PlatformCodecs } from "../../formats/parquet/page-codecs.ts"
import { readContainerEnds } from "./container-file.ts"
import { loadUnzstd, unzstd } from "./zstd.ts"
import type { ContainerFileFormat } from "./file-format.ts"

/** What `parquet` needs of Node. */
export const nodeCodecs: PlatformCodecs = {
  crc32: (bytes) => zlib.crc32(bytes),
  gunzip: (bytes, lengthMax) => zlib.gunzipSync(bytes, { maxOutputLength: lengthMax }),
  unzstd,
}

/** Parquet with its options. */
export function parquetFormat({ pageBytesMax }: { readonly pageBytesMax: number }): ContainerFileFormat {
  const options = { pageBytesMax, platform: nodeCodecs }
  return {
    createEncoder: (schema) => new ParquetEncoder({ schema }),
    load: (codecs) => (codecs.includes("ZSTD") ? loadUnzstd() : undefined),
    readEnds: (file, label, steps) => readContainerEnds(file, footerBytes, label, steps),
    container: {
      countRecords: (footer) => readFooter(footer).rows,
      openContainer: (footer, context) => new ParquetDecoder(footer, context, options),
    },
  }
}
