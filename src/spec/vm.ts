/** runtime-spec, config-vm.md. */
import type * as v from "valibot";
import { chapter, list, object, once, optional, text, texts, uint32, uint64, word } from "./values.ts";

const hwConfigSchema = once(() =>
  object({
    deviceTree: optional(text()),
    vcpus: optional(uint32()),
    memory: optional(uint64()),
    dtdevs: optional(texts()),
    iomems: chapter(() =>
      list(object({ firstGFN: optional(uint64()), firstMFN: uint64(), nrMFNs: uint64() })),
    ),
    irqs: optional(list(uint32())),
  }),
);

export const vmSchema = once(() => {
  const path = text("an absolute path on the host");
  return object({
    hypervisor: chapter(() => object({ path, parameters: optional(texts()) })),
    kernel: object({ path, parameters: optional(texts()), initrd: optional(text()) }),
    image: chapter(() => object({ path, format: word("raw", "qcow2", "vdi", "vmdk", "vhd") })),
    hwConfig: chapter(hwConfigSchema),
  });
});

export type Vm = v.InferOutput<ReturnType<typeof vmSchema>>;
