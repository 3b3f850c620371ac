// The set-up of a step as a list: pure code decides what is to be done, kiln-init does it in order (practice: a list
// before an effect). Private to the room.
#pragma once

#include "sandbox/sandbox.h"
#include "sandbox/user.h"

namespace kiln::sandbox {

// Paths inside are without a leading "/". Meaning of each: init/wire.h.
struct Overlay {
  std::string target;            // "": the new root
  fs::path mount;                // host directory on which the new root is mounted
  fs::path upper, work;          //
  std::vector<fs::path> lowers;  // newest first
  bool operator==(const Overlay&) const = default;
};
struct Tmpfs {
  std::string target, options;
  std::uint32_t attributes = 0;  // MOUNT_ATTR_*
  bool operator==(const Tmpfs&) const = default;
};
struct Proc {
  std::string target;
  bool operator==(const Proc&) const = default;
};
struct Devpts {
  std::string target;
  bool operator==(const Devpts&) const = default;
};
struct ReadOnly {
  std::string path;  // below /proc
  bool operator==(const ReadOnly&) const = default;
};
struct Mask {
  std::string path;  // below /proc
  bool operator==(const Mask&) const = default;
};
struct Device {
  std::string source, target;
  std::uint32_t major = 0, minor = 0;
  bool operator==(const Device&) const = default;
};
struct BindMount {
  fs::path source;
  std::string target;
  bool read_only = true;
  bool operator==(const BindMount&) const = default;
};
struct MakeDir {
  std::string path;
  std::uint32_t mode = 0755;
  bool operator==(const MakeDir&) const = default;
};
struct WriteFile {
  std::string path, content;
  std::uint32_t mode = 0644;
  bool script = false;  // removed at the end
  bool operator==(const WriteFile&) const = default;
};
struct Symlink {
  std::string text, path;
  bool operator==(const Symlink&) const = default;
};
struct OwnCopy {
  std::string path;
  bool operator==(const OwnCopy&) const = default;
};
struct Hostname {
  std::string name;
  bool operator==(const Hostname&) const = default;
};
struct Loopback {
  bool operator==(const Loopback&) const = default;
};
struct HostSource {
  fs::path path;
  bool operator==(const HostSource&) const = default;
};
struct Pivot {
  bool operator==(const Pivot&) const = default;
};
struct MaxProcs {
  std::uint64_t count = 0;
  bool operator==(const MaxProcs&) const = default;
};

using SetupOp = std::variant<Overlay, Tmpfs, Proc, Devpts, ReadOnly, Mask, Device, BindMount, MakeDir, WriteFile,
                             Symlink, OwnCopy, Hostname, Loopback, HostSource, Pivot, MaxProcs>;

/// Where things of a run lie below its scratch directory: few directories, because removing one may wait for the disk.
struct ScratchPaths {
  explicit ScratchPaths(fs::path directory) : scratch(std::move(directory)) {}
  fs::path scratch;
  fs::path upper() const { return scratch / "upper"; }
  fs::path work() const { return scratch / "work"; }
  fs::path stub() const { return scratch / "stub"; }
  fs::path cache_upper(std::size_t i) const { return scratch / fmt::format("cache{}", i); }
  fs::path cache_work(std::size_t i) const { return scratch / fmt::format("cache{}-work", i); }
};

/// What the stub layer resolved (stub.h): where binds and caches really go, and files that belong on /run.
struct Places {
  std::vector<std::string> binds, caches;  // in the order of the spec
  std::vector<StubFile> run_files;         // paths below run/, without leading "/"
};

/// SOURCE_DATE_EPOCH of the step's environment, 0 without one.
std::int64_t clock_of(const RunSpec& spec);

/// The whole list, in order. Pure.
std::vector<SetupOp> plan_setup(const RunSpec& spec, const Places& places);

/// The list, the guard and the action as kiln-init reads them. terminal: the main process gets a pty.
std::string encode(const std::vector<SetupOp>& ops, const RunSpec& spec, const Account& account,
                   std::string_view filter, bool terminal);

}  // namespace kiln::sandbox
