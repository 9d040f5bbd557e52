/** features.md, "Features Structure": what the runtime implements, whatever the host can do. */

export interface Features {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks?: readonly string[];
  readonly mountOptions?: readonly string[];
  readonly linux?: LinuxFeatures;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotations of config.json that change what the runtime does; a final "." makes it a prefix. */
  readonly potentiallyUnsafeConfigAnnotations?: readonly string[];
}

/** features-linux.md. */
export interface LinuxFeatures {
  readonly namespaces?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly cgroup?: {
    readonly v1?: boolean;
    readonly v2?: boolean;
    readonly systemd?: boolean;
    readonly systemdUser?: boolean;
    readonly rdma?: boolean;
  };
  readonly seccomp?: SeccompFeatures;
  readonly apparmor?: { readonly enabled?: boolean };
  readonly selinux?: { readonly enabled?: boolean };
  readonly intelRdt?: {
    readonly enabled?: boolean;
    readonly schemata?: boolean;
    readonly monitoring?: boolean;
  };
  readonly memoryPolicy?: {
    readonly modes?: readonly string[];
    readonly flags?: readonly string[];
  };
  readonly mountExtensions?: { readonly idmap?: { readonly enabled?: boolean } };
  readonly netDevices?: { readonly enabled?: boolean };
}

export interface SeccompFeatures {
  readonly enabled?: boolean;
  readonly actions?: readonly string[];
  readonly operators?: readonly string[];
  readonly archs?: readonly string[];
  readonly knownFlags?: readonly string[];
  /** Those of `knownFlags` that can be used. */
  readonly supportedFlags?: readonly string[];
}
