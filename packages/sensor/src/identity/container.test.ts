import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cgroupPathOf, containerOfCgroups, containerOfMounts, readContainment } from './container.ts'

const id = 'c1a95bf0b1e64e2fa3a63c62fcbde9b0f9d5a2f1a0a4cc6c61c6c1a9e5b0f1d2'
const pod = '6b2e0f0a-9a52-4a6b-8f0b-0c5d3b7f1e2a'
const slice = pod.replaceAll('-', '_')

describe('control groups', () => {
  it.each([
    ['docker, v1', `12:pids:/docker/${id}\n1:name=systemd:/docker/${id}\n0::/`, { id, runtime: 'docker' }],
    ['docker, v2 with systemd', `0::/system.slice/docker-${id}.scope`, { id, runtime: 'docker' }],
    ['docker in docker', `0::/system.slice/docker-${id}.scope/docker/${'f'.repeat(64)}`, { id, runtime: 'docker' }],
    ['kubelet with cgroupfs, v1', `3:cpu:/kubepods/burstable/pod${pod}/${id}`, { id, podUid: pod }],
    [
      'containerd, v2', `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${slice}.slice/cri-containerd-${id}.scope`,
      { id, runtime: 'containerd', podUid: pod },
    ],
    ['cri-o, v2', `0::/kubepods.slice/kubepods-pod${slice}.slice/crio-${id}.scope/container`, { id, runtime: 'cri-o', podUid: pod }],
    ['podman, rootless', `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`, { id, runtime: 'podman' }],
    ['podman, v1', `9:memory:/libpod_parent/libpod-${id}`, { id, runtime: 'podman' }],
    ['ECS on EC2', `4:cpu:/ecs/0123456789abcdef0123456789abcdef/${id}`, { id, runtime: 'ecs' }],
    ['Fargate', `4:cpu:/ecs/${'a'.repeat(32)}/${'a'.repeat(32)}-1234567890`, { id: `${'a'.repeat(32)}-1234567890`, runtime: 'ecs' }],
    ['lxc', '0::/lxc.payload.build-7/system.slice/x.service', { id: 'build-7', runtime: 'lxc' }],
    ['lxc, v1', '6:freezer:/lxc/build-7', { id: 'build-7', runtime: 'lxc' }],
    ['systemd-nspawn', '0::/machine.slice/machine-arch.scope/payload', { id: 'arch', runtime: 'systemd-nspawn' }],
  ])('of %s name the container [AT-3]', (_name, text, expected) => {
    expect(containerOfCgroups(text)).toEqual({ ...expected, source: 'cgroup' })
  }) // biome-ignore format: one case, one line

  it('of machines and sessions name none [AT-3]', () => {
    for (const text of [
      '0::/',
      '0::/user.slice/user-1000.slice/session-3.scope',
      '12:pids:/system.slice/ssh.service\n0::/system.slice/ssh.service',
      `0::/system.slice/${id}`,
      '',
      'nonsense',
    ])
      expect(containerOfCgroups(text)).toBeUndefined()
    expect(cgroupPathOf('9:name=systemd:/\n4:memory:/jobs/7\n0::/')).toBe('/jobs/7')
    expect(cgroupPathOf('9:name=systemd:/a/long/path/of/v1\n0::/unified')).toBe('/unified')
    expect(cgroupPathOf('0::/')).toBeUndefined()
  })

  it('and mounts of hostile names are read without a throw [AT-3]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        for (const found of [containerOfCgroups(`0::/docker/${text}`), containerOfMounts(`1 2 3 ${text} / rw`)])
          expect(found?.id?.length ?? 0).toBeLessThanOrEqual(256)
      }),
    )
  })
})

describe('mounts', () => {
  const line = (root: string, at: string) => `800 700 8:1 ${root} ${at} rw,relatime - ext4 /dev/sda1 rw`
  it.each([
    ['docker', line(`/var/lib/docker/containers/${id}/hostname`, '/etc/hostname'), { id, runtime: 'docker' }],
    ['podman', line(`/containers/storage/overlay-containers/${id}/userdata/resolv.conf`, '/etc/resolv.conf'), { id, runtime: 'podman' }],
    ['a pod', line(`/var/lib/kubelet/pods/${pod}/etc-hosts`, '/etc/hosts'), { podUid: pod }],
    [
      'a pod of containerd, whose sandbox is not the container',
      `${line(`/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/${id}/hostname`, '/etc/hostname')}\n${line(`/var/lib/kubelet/pods/${pod}/etc-hosts`, '/etc/hosts')}`,
      { podUid: pod, runtime: 'containerd' },
    ],
  ])('of %s name it where control groups have a namespace of their own [AT-3]', (_name, text, expected) => {
    expect(containerOfMounts(text)).toEqual({ ...expected, source: 'mountinfo' })
  }) // biome-ignore format: one case, one line
  it('of a machine name none [AT-3]', () => {
    expect(containerOfMounts(`${line('/', '/')}\n${line('/srv', '/home')}\n`)).toBeUndefined()
  })
})

it('what encloses this very process is found, or said not to be seen [AT-3]', () => {
  const { container, pidNamespace } = readContainment()
  if ('absent' in container) expect(container.absent).toMatch(/none seen|does not tell/)
  else expect(container.source).toMatch(/^(cgroup|mountinfo|\/)/)
  if (process.platform === 'linux')
    expect(pidNamespace).toEqual({ id: expect.any(Number), place: expect.stringMatching(/^(initial|nested)$/) })
})
