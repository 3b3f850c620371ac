// The builders of a template, one reader each; their table is builders.cc. Private to the room.
#pragma once

#include "plan/components.h"

namespace kiln::plan {

BuilderPlan read_docker(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world);
BuilderPlan read_amazon_ebs(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world);
BuilderPlan read_googlecompute(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world);
BuilderPlan read_disk(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world);
BuilderPlan read_qemu(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world);

/// Knows options that mean nothing without a machine; those that are set are listed once.
void note(BuilderPlan& plan, tmpl::BodyReader& options, const std::vector<std::string>& names);

/// The source's name as the beginning of a file name.
std::string file_stem(const tmpl::Build& build);

/// The beginning of every machine: its base, from the named option, and its boot layer. looks_up: the source asks for
/// the newest image of a cloud instead.
BuilderPlan read_machine(tmpl::BodyReader& options, const char* base_option, bool looks_up = false);

/// A pack step that writes disks.
PackStep pack_disks(const char* format, std::uint64_t bytes, std::vector<DiskFile> files);

/// An option that counts GiB, as bytes; 0 when it is absent.
std::uint64_t read_gib(tmpl::BodyReader& options, const std::string& name);

/// "10G", "512M", "1T" as bytes: powers of 1024, rounded up to a MiB. A number without a letter counts bare_unit bytes;
/// 0: it needs one. Nothing when it is no size.
std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t bare_unit);

/// Reports a disk format that there is not, with those that there are; else yields it.
std::optional<DiskFormat> find_format(tmpl::BodyReader& options, const std::string& option, const std::string& name,
                                      const Surroundings& world);

}  // namespace kiln::plan
