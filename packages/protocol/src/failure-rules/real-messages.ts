// Test data: messages as programs and kernels really print them, with where each was taken from, and the rule that must
// explain it. "Made here" means that it was produced by doing what it says, and copied.

type RealMessage = {
  readonly rule: string;
  readonly text: string;
  readonly from: string;
};

export const kernelMessages: readonly RealMessage[] = [
  {
    rule: 'gpu/xid-lost',
    text: 'NVRM: Xid (PCI:0000:3b:00): 79, pid=1423, name=python3, GPU has fallen off the bus.',
    from: 'NVIDIA XID Errors, Xid 79',
  },
  {
    rule: 'gpu/xid-memory',
    text: 'NVRM: Xid (PCI:0000:89:00): 48, pid=0, An uncorrectable double bit error (DBE) has been detected on GPU in the framebuffer at partition 6, subpartition 0.',
    from: 'NVIDIA XID Errors, Xid 48',
  },
  {
    rule: 'gpu/xid-memory',
    text: 'NVRM: Xid (PCI:0000:06:00): 94, pid=7194, Contained: SM (0x1). RST: No, D-RST: No',
    from: 'NVIDIA XID Errors, Xid 94',
  },
  {
    rule: 'gpu/xid-link',
    text: 'NVRM: Xid (PCI:0000:c3:00): 74, pid=0, NVLink: fatal error detected on link 2(0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)',
    from: 'NVIDIA XID Errors, Xid 74',
  },
  {
    rule: 'gpu/xid-firmware',
    text: 'NVRM: Xid (PCI:0000:41:00): 119, pid=2283, name=nvidia-smi, Timeout waiting for RPC from GSP0! Expected function 76 (GSP_RM_CONTROL).',
    from: 'NVIDIA open-gpu-kernel-modules, issue tracker, Xid 119',
  },
  {
    rule: 'gpu/xid-program',
    text: 'NVRM: Xid (PCI:0000:01:00): 31, pid=2118, name=train, Ch 00000010, intr 10000000. MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted @ 0x7f52_00000000. Fault is of type FAULT_PDE ACCESS_TYPE_VIRT_READ',
    from: 'NVIDIA XID Errors, Xid 31',
  },
  {
    rule: 'gpu/xid-program',
    text: 'NVRM: Xid (PCI:0000:01:00): 13, pid=1911, Graphics SM Warp Exception on (GPC 3, TPC 2, SM 0): Out Of Range Address',
    from: 'NVIDIA XID Errors, Xid 13',
  },
  {
    rule: 'gpu/xid-driver',
    text: 'NVRM: Xid (PCI:0000:01:00): 109, pid=3342, name=app, Ch 00000018, errorString CTX SWITCH TIMEOUT, Info 0x2c004',
    from: 'NVIDIA XID Errors, Xid 109',
  },
  {
    rule: 'gpu/xid-other',
    text: 'NVRM: Xid (PCI:0000:01:00): 999, pid=1',
    from: 'a number that the manual does not have yet',
  },
  { rule: 'gpu/amdgpu-reset', text: 'amdgpu 0000:03:00.0: amdgpu: GPU reset begin!', from: 'Linux amdgpu_device.c' },
  {
    rule: 'gpu/amdgpu-hang',
    text: '[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx_0.0.0 timeout, signaled seq=35531, emitted seq=35533',
    from: 'Linux amdgpu_job.c; freedesktop.org drm/amd issues',
  },
  {
    rule: 'gpu/amdgpu-ras',
    text: 'amdgpu 0000:c1:00.0: amdgpu: 3 uncorrectable hardware errors detected in umc block',
    from: 'Linux amdgpu_ras.c',
  },
  {
    rule: 'gpu/amdgpu-page-fault',
    text: 'amdgpu 0000:03:00.0: amdgpu: [gfxhub0] no-retry page fault (src_id:0 ring:24 vmid:3 pasid:32770)',
    from: 'Linux gmc_v9_0.c',
  },
  {
    rule: 'gpu/intel-hang',
    text: 'i915 0000:00:02.0: [drm] GPU HANG: ecode 12:1:85dffffb, in Xorg [912]',
    from: 'Linux i915_gpu_error.c',
  },
  {
    rule: 'machine/hardware-error',
    text: 'mce: [Hardware Error]: Machine check events logged',
    from: 'Linux mce/core.c',
  },
  {
    rule: 'machine/hardware-error',
    text: 'EDAC MC0: 1 UE memory read error on CPU_SrcID#0_Channel#1_DIMM#0',
    from: 'Linux edac_mc.c',
  },
  {
    rule: 'machine/disk-error',
    text: 'I/O error, dev nvme0n1, sector 1953525 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2',
    from: 'Linux block/blk-mq.c',
  },
  {
    rule: 'memory/kernel-killed',
    text: 'Memory cgroup out of memory: Killed process 19578 (MainThread) total-vm:1331712kB, anon-rss:64572kB, file-rss:34484kB, shmem-rss:0kB, UID:0 pgtables:608kB oom_score_adj:0',
    from: 'made here: a process in a control group of 64 MiB',
  },
  {
    rule: 'memory/kernel-killed',
    text: 'Out of memory: Killed process 911 (pytest) total-vm:33554432kB, anon-rss:16000000kB',
    from: 'Linux mm/oom_kill.c',
  },
];

export const textMessages: readonly RealMessage[] = [
  {
    rule: 'memory/cuda',
    text: 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.64 GiB of which 1.21 GiB is free.',
    from: 'PyTorch CUDACachingAllocator.cpp',
  },
  {
    rule: 'memory/rocm',
    text: 'torch.OutOfMemoryError: HIP out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 15.98 GiB',
    from: 'PyTorch, built for ROCm',
  },
  {
    rule: 'memory/vulkan',
    text: 'vkAllocateMemory: VK_ERROR_OUT_OF_DEVICE_MEMORY',
    from: 'Vulkan specification, VkResult',
  },
  {
    rule: 'memory/webgpu',
    text: 'GPUOutOfMemoryError: Failed to allocate memory for the buffer',
    from: 'WebGPU specification',
  },
  {
    rule: 'memory/device-other',
    text: 'RuntimeError: MPS backend out of memory (MPS allocated: 17.93 GB, other allocations: 81.77 MB, max allowed: 18.13 GB).',
    from: 'PyTorch MPSAllocator.mm',
  },
  {
    rule: 'memory/device-other',
    text: 'jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 10737418240 bytes.',
    from: 'XLA bfc_allocator.cc',
  },
  {
    rule: 'memory/javascript-heap',
    text: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    from: 'made here: node --max-old-space-size=20',
  },
  {
    rule: 'memory/java-heap',
    text: 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
    from: 'Java SE Troubleshooting Guide',
  },
  {
    rule: 'memory/host',
    text: "terminate called after throwing an instance of 'std::bad_alloc'",
    from: 'libstdc++, vterminate.cc',
  },
  { rule: 'memory/host', text: 'OSError: [Errno 12] Cannot allocate memory', from: 'CPython with RLIMIT_AS' },
  { rule: 'system/disk-full', text: 'Error: ENOSPC: no space left on device, write', from: 'Node.js on a full tmpfs' },
  {
    rule: 'system/files',
    text: "Error: EMFILE: too many open files, open '/dev/null'",
    from: 'made here: ulimit -n 40',
  },
  {
    rule: 'gpu/cuda-ecc',
    text: 'RuntimeError: CUDA error: uncorrectable ECC error encountered',
    from: 'CUDA Driver API, 214',
  },
  {
    rule: 'gpu/cuda-no-device',
    text: 'RuntimeError: No CUDA GPUs are available',
    from: 'PyTorch torch/cuda/__init__.py',
  },
  {
    rule: 'gpu/driver-version',
    text: 'Failed to initialize NVML: Driver/library version mismatch',
    from: 'nvidia-smi after an update without a restart',
  },
  {
    rule: 'gpu/no-kernel-image',
    text: 'RuntimeError: CUDA error: no kernel image is available for execution on the device',
    from: 'CUDA Driver API, 209',
  },
  {
    rule: 'gpu/device-assert',
    text: 'RuntimeError: CUDA error: device-side assert triggered',
    from: 'CUDA Driver API, 710',
  },
  {
    rule: 'gpu/launch-failed',
    text: 'RuntimeError: CUDA error: unspecified launch failure',
    from: 'CUDA Driver API, 719',
  },
  { rule: 'gpu/device-lost', text: 'vkQueueSubmit: VK_ERROR_DEVICE_LOST', from: 'Vulkan specification, VkResult' },
  {
    rule: 'gpu/webgpu-lost',
    text: 'WebGL: CONTEXT_LOST_WEBGL: loseContext: context lost',
    from: 'Chromium and Firefox consoles',
  },
  {
    rule: 'gpu/webgpu-lost',
    text: 'AbortError: A valid external Instance reference no longer exists.',
    from: 'Chromium after its GPU process was killed: measured',
  },
  { rule: 'gpu/vulkan-start', text: 'libGL error: failed to load driver: swrast', from: 'Mesa loader.c' },
  {
    rule: 'browser/version',
    text: 'session not created: This version of ChromeDriver only supports Chrome version 114',
    from: 'chromedriver session_commands.cc',
  },
  {
    rule: 'browser/not-installed',
    text: "browserType.launch: Executable doesn't exist at /ms-playwright/chromium-1140/chrome-linux/chrome",
    from: 'Playwright registry',
  },
  {
    rule: 'browser/not-installed',
    text: '[1211/101010.1:ERROR:ozone_platform_x11.cc(245)] Missing X server or $DISPLAY',
    from: 'Chromium without a display',
  },
  {
    rule: 'browser/gpu-process',
    text: "[33:33:FATAL:gpu_data_manager_impl_private.cc(448)] GPU process isn't usable. Goodbye.",
    from: 'Chromium gpu_data_manager_impl_private.cc',
  },
  {
    rule: 'browser/tab-crashed',
    text: 'WebDriverError: tab crashed',
    from: 'selenium-webdriver 4.49 and chromedriver, renderer killed: measured',
  },
  {
    rule: 'browser/session-not-created',
    text: 'SessionNotCreatedError: session not created: Chrome instance exited. Examine ChromeDriver verbose log to determine the cause.',
    from: 'selenium-webdriver 4.49, profile in use: measured',
  },
  {
    rule: 'browser/gone',
    text: 'NoSuchSessionError: invalid session id: session deleted as the browser has closed the connection',
    from: 'selenium-webdriver 4.49, browser killed: measured',
  },
  { rule: 'browser/gone', text: 'page.click: Target page, context or browser has been closed', from: 'Playwright' },
  { rule: 'browser/gone', text: 'Protocol error (Runtime.callFunctionOn): Target closed', from: 'Puppeteer' },
  {
    rule: 'browser/renderer-stuck',
    text: 'TimeoutError: timeout: Timed out receiving message from renderer: 10.000',
    from: 'chromedriver, page stuck: measured',
  },
  {
    rule: 'browser/crash-dump',
    text: 'Received signal 11 SEGV_MAPERR 000000000008',
    from: 'Chromium stack_trace_posix.cc',
  },
  {
    rule: 'network/refused',
    text: 'Error: connect ECONNREFUSED 127.0.0.1:5432',
    from: 'made here: Node.js, nothing listens',
  },
  {
    rule: 'network/refused',
    text: 'ConnectionRefusedError: [Errno 111] Connection refused',
    from: 'made here: CPython, nothing listens',
  },
  { rule: 'network/refused', text: 'dial tcp 10.0.0.5:6379: connect: connection refused', from: 'Go net/dial.go' },
  {
    rule: 'network/refused',
    text: 'WebDriverError: unknown error: net::ERR_CONNECTION_REFUSED',
    from: 'chromedriver, page refused: measured',
  },
  { rule: 'network/name', text: 'Error: getaddrinfo ENOTFOUND db.internal', from: 'made here: Node.js' },
  {
    rule: 'network/name',
    text: 'socket.gaierror: [Errno -3] Temporary failure in name resolution',
    from: 'CPython, no resolver',
  },
  { rule: 'network/reset', text: 'Error: socket hang up', from: 'Node.js _http_client.js' },
  { rule: 'network/timeout', text: 'Error: connect ETIMEDOUT 10.255.255.1:443', from: 'Node.js' },
  { rule: 'network/unreachable', text: 'OSError: [Errno 101] Network is unreachable', from: 'CPython without a route' },
  { rule: 'network/service', text: 'AxiosError: Request failed with status code 503', from: 'axios settle.js' },
  {
    rule: 'process/library-missing',
    text: './app: error while loading shared libraries: libnss3.so: cannot open shared object file: No such file or directory',
    from: 'glibc dl-load.c',
  },
  {
    rule: 'process/other-architecture',
    text: 'sh: 1: ./app: Exec format error',
    from: 'made here: an arm64 binary on x64',
  },
  { rule: 'process/module-missing', text: "ModuleNotFoundError: No module named 'numpy'", from: 'CPython' },
];

/** What assertions print, with words in them that other rules look for. */
export const assertionMessages: readonly string[] = [
  "AssertionError: expected 'ECONNREFUSED' to be 'ETIMEDOUT' // Object.is equality",
  'expect(received).toBe(expected) // Object.is equality\n\nExpected: "CUDA out of memory"\nReceived: "tab crashed"',
  "AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n\n'socket hang up' !== 'No space left on device'",
  "    def test_x():\n>       assert reason == 'Connection refused'\nE       assert 'x' == 'Connection refused'",
  'thread main panicked at src/lib.rs:3:\nassertion `left == right` failed: Connection refused',
];
