// Devices and their drivers: what the kernel writes about them, and what CUDA, ROCm, Vulkan, Direct3D and WebGPU say.
// Xid numbers are NVIDIA's ("XID Errors", docs.nvidia.com/deploy/xid-errors): those that the manual gives to the
// application alone name the test, and those that it gives to hardware, the device.
import type { FailureRule } from './rule.ts';

type Row = Omit<FailureRule, 'reads' | 'class' | 'code'>;

const kernel = (failureClass: FailureRule['class'], code: string, row: Row): FailureRule => ({
  ...row,
  class: failureClass,
  code,
  reads: 'kernel',
});
const text = (failureClass: FailureRule['class'], code: string, row: Row): FailureRule => ({
  ...row,
  class: failureClass,
  code,
  reads: 'text',
});
const xid = (...numbers: readonly number[]): string[] => numbers.map((number) => `NVRM: Xid (*): ${number},`);
const xidSource = 'NVIDIA "XID Errors"; kernel-open/nvidia, nv_error_cont';

const kernelRules: readonly FailureRule[] = [
  kernel('device', 'GPU_FELL_OFF_BUS', {
    id: 'gpu/xid-lost',
    patterns: [...xid(79), 'NVRM: GPU * has fallen off the bus'],
    means:
      'The GPU does not answer on the bus any more: power, heat, slot or the card itself. It needs a reset or a reboot.',
    source: xidSource,
  }),
  kernel('device', 'GPU_MEMORY_ERROR', {
    id: 'gpu/xid-memory',
    patterns: xid(48, 63, 64, 92, 94, 95, 140, 171, 172),
    means: "An uncorrectable or remapped error of the GPU's own memory.",
    source: xidSource,
  }),
  kernel('device', 'GPU_LINK_ERROR', {
    id: 'gpu/xid-link',
    patterns: xid(74, 121, 122, 123, 145, 149),
    means: 'A link of the GPU failed (NVLink, C2C, SPI or the like).',
    source: xidSource,
  }),
  kernel('driver', 'GPU_FIRMWARE_ERROR', {
    id: 'gpu/xid-firmware',
    patterns: xid(38, 61, 62, 119, 120),
    means: "The GPU's firmware or its driver stopped answering.",
    source: xidSource,
  }),
  kernel('driver', 'GPU_DRIVER_ERROR', {
    id: 'gpu/xid-driver',
    patterns: xid(8, 32, 56, 69, 109),
    means: 'The driver gave the GPU something that it refused, or waited for it in vain.',
    source: xidSource,
  }),
  kernel('test', 'GPU_PROGRAM_FAULT', {
    id: 'gpu/xid-program',
    patterns: xid(13, 31, 43, 45),
    means:
      'A program on the GPU made an illegal access or was ended for one: by the manual the application, not the card.',
    source: xidSource,
  }),
  kernel('device', 'GPU_XID', {
    id: 'gpu/xid-other',
    patterns: ['NVRM: Xid (*): '],
    means: 'The NVIDIA driver reported an error that no other rule names.',
    source: xidSource,
  }),
  kernel('device', 'GPU_RESET', {
    id: 'gpu/amdgpu-reset',
    patterns: [
      'amdgpu: GPU reset begin',
      'amdgpu: GPU reset(',
      'amdgpu: GPU recovery failed',
      'amdgpu: MODE1 reset',
      'amdgpu: MODE2 reset',
      'amdgpu: BACO reset',
    ],
    means: 'The AMD driver reset the GPU.',
    source: 'Linux drivers/gpu/drm/amd/amdgpu/amdgpu_device.c, amdgpu_device_gpu_recover',
  }),
  kernel('device', 'GPU_HANG', {
    id: 'gpu/amdgpu-hang',
    patterns: [
      'amdgpu_job_timedout',
      'amdgpu: ring * timeout',
      '*ERROR* ring * timeout',
      'amdgpu: Waiting for fences timed out',
    ],
    means: 'A ring of the AMD GPU did not finish in time.',
    source: 'Linux drivers/gpu/drm/amd/amdgpu/amdgpu_job.c',
  }),
  kernel('device', 'GPU_MEMORY_ERROR', {
    id: 'gpu/amdgpu-ras',
    patterns: [
      'amdgpu: * uncorrectable hardware errors detected',
      'amdgpu: uncorrectable hardware error(ERREVENT_ATHUB_INTERRUPT)',
    ],
    means: 'The AMD driver counted an uncorrectable error of the card.',
    source: 'Linux drivers/gpu/drm/amd/amdgpu/amdgpu_ras.c',
  }),
  kernel('test', 'GPU_PROGRAM_FAULT', {
    id: 'gpu/amdgpu-page-fault',
    patterns: ['amdgpu: [gfxhub*] * page fault', 'amdgpu: [mmhub*] * page fault', 'amdgpu: GPU fault detected'],
    means: 'A program on the AMD GPU touched memory that is not its own.',
    source: 'Linux drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c, gmc_v10_0.c, gmc_v8_0.c',
  }),
  kernel('device', 'GPU_HANG', {
    id: 'gpu/intel-hang',
    patterns: ['i915 * GPU HANG: ecode', 'GPU HANG: ecode', 'xe * Engine reset:', 'i915 * Resetting chip for'],
    means: 'The Intel driver found the GPU hanging.',
    source: 'Linux drivers/gpu/drm/i915/i915_gpu_error.c, gt/intel_reset.c; drivers/gpu/drm/xe/xe_guc_submit.c',
  }),
  kernel('device', 'MACHINE_CHECK', {
    id: 'machine/hardware-error',
    patterns: ['mce: [Hardware Error]', '[Hardware Error]: event severity: fatal', 'EDAC MC*: * UE '],
    means: 'The processor or its memory reported a hardware error.',
    source: 'Linux arch/x86/kernel/cpu/mce/core.c, drivers/firmware/efi/cper.c, drivers/edac/edac_mc.c',
  }),
  kernel('infrastructure', 'DISK_IO_ERROR', {
    id: 'machine/disk-error',
    patterns: [
      'blk_update_request: I/O error',
      'I/O error, dev *, sector',
      'EXT4-fs error (device',
      'nvme nvme*: I/O * timeout',
    ],
    means: 'A disk of the worker fails.',
    source: 'Linux block/blk-mq.c, fs/ext4/super.c, drivers/nvme/host/pci.c',
  }),
];

const textRules: readonly FailureRule[] = [
  text('device', 'GPU_MEMORY_ERROR', {
    id: 'gpu/cuda-ecc',
    patterns: ['uncorrectable ECC error encountered', 'CUDA_ERROR_ECC_UNCORRECTABLE', 'cudaErrorECCUncorrectable'],
    means: "An uncorrectable error of the GPU's memory.",
    source: 'CUDA Driver API, CUresult 214',
  }),
  text('device', 'DEVICE_MISSING', {
    id: 'gpu/cuda-no-device',
    patterns: [
      'no CUDA-capable device is detected',
      'CUDA_ERROR_NO_DEVICE',
      'hipErrorNoDevice',
      'No HIP GPUs are available',
      'No CUDA GPUs are available',
    ],
    means: 'The device that the profile names is not there for the program.',
    source: 'CUDA Driver API, CUresult 100; HIP hipError_t; PyTorch c10/cuda/CUDAFunctions.cpp',
  }),
  text('driver', 'DRIVER_MISMATCH', {
    id: 'gpu/driver-version',
    patterns: [
      'CUDA driver version is insufficient for CUDA runtime version',
      'Driver/library version mismatch',
      'CUDA_ERROR_SYSTEM_DRIVER_MISMATCH',
      'CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE',
      'VK_ERROR_INCOMPATIBLE_DRIVER',
    ],
    means: 'The driver does not go with the libraries, or was updated without a restart.',
    source: 'CUDA Driver API, CUresult 35, 803, 804; NVML nvmlInit; Vulkan specification, VkResult',
  }),
  text('configuration', 'BUILT_FOR_OTHER_DEVICE', {
    id: 'gpu/no-kernel-image',
    patterns: [
      'no kernel image is available for execution on the device',
      'hipErrorNoBinaryForGpu',
      'CUDA_ERROR_NO_BINARY_FOR_GPU',
    ],
    means: "The program was not built for this device's architecture.",
    source: 'CUDA Driver API, CUresult 209; HIP hipError_t',
  }),
  text('test', 'GPU_PROGRAM_FAULT', {
    id: 'gpu/device-assert',
    patterns: [
      'device-side assert triggered',
      'CUDA_ERROR_ASSERT',
      'an illegal memory access was encountered',
      'CUDA_ERROR_ILLEGAL_ADDRESS',
      'Memory access fault by GPU node',
    ],
    means: 'The program on the device asserted, or touched memory that is not its own.',
    source: 'CUDA Driver API, CUresult 700, 710; ROCr runtime.cpp, VMFaultHandler',
  }),
  text('device', 'DEVICE_LOST', {
    id: 'gpu/launch-failed',
    patterns: [
      'CUDA error: unspecified launch failure',
      'CUDA_ERROR_LAUNCH_FAILED',
      'CUDA_ERROR_LAUNCH_TIMEOUT',
      'CUDA_ERROR_HARDWARE_STACK_ERROR',
      'CUDNN_STATUS_EXECUTION_FAILED',
      'CUBLAS_STATUS_EXECUTION_FAILED',
    ],
    means: 'Work on the device failed without a word of why.',
    source: 'CUDA Driver API, CUresult 702, 714, 719; cuDNN and cuBLAS status codes',
  }),
  text('device', 'DEVICE_LOST', {
    id: 'gpu/device-lost',
    patterns: [
      'VK_ERROR_DEVICE_LOST',
      'ErrorDeviceLost',
      'DXGI_ERROR_DEVICE_REMOVED',
      'DXGI_ERROR_DEVICE_HUNG',
      'DXGI_ERROR_DEVICE_RESET',
      'CL_DEVICE_NOT_AVAILABLE',
      'ZE_RESULT_ERROR_DEVICE_LOST',
    ],
    means: 'The device was lost under the program: it hung, was reset or removed.',
    source: 'Vulkan specification, VkResult; Direct3D DXGI_ERROR; OpenCL 3.0; oneAPI Level Zero',
  }),
  text('device', 'DEVICE_LOST', {
    id: 'gpu/webgpu-lost',
    patterns: [
      'WebGPU device was lost',
      'GPUDeviceLostInfo',
      'Device lost: ',
      'CONTEXT_LOST_WEBGL',
      'A valid external Instance reference no longer exists',
    ],
    means: "The page's GPU device or context was lost.",
    source: 'Dawn src/dawn/native; WebGL specification, WEBGL_lose_context; Chromium with its GPU process killed',
  }),
  text('driver', 'DRIVER_FAILED', {
    id: 'gpu/vulkan-start',
    patterns: [
      'vkCreateInstance failed',
      'VK_ERROR_INITIALIZATION_FAILED',
      'failed to load driver: ',
      'MESA: error:',
      'libGL error: failed to',
    ],
    means: 'A graphics driver could not be loaded or started.',
    source: 'Vulkan specification, VkResult; Mesa src/loader/loader.c, src/util/log.c',
  }),
];

export const gpuRules: readonly FailureRule[] = [...kernelRules, ...textRules];
