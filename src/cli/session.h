// What build, plan and run have in common: the template, the store, the settings, the plan.
#pragma once

#include "cli/cli.h"
#include "steps/steps.h"
#include "template/overview.h"

namespace kiln::cli {

fs::path store_path(const Environment& environment);
fs::path downloads_path(const Environment& environment);

/// Loads and checks the template and prints its diagnostics; empty when there is an error among them.
std::optional<tmpl::Template> load_template(const Args& args, const Environment& environment, const Cancel& cancel);

/// Parses the template and prints what is wrong with it; whether nothing is.
bool parses(const Args& args, const Environment& environment);

/// The same for a text that is about to become the template.
bool parses(const Args& args, const Environment& environment, const std::string& text);

/// Looks at the template (or at nothing, where none is given) and prints what is wrong with it; empty when that is so.
std::optional<tmpl::Overview> load_overview(const Args& args, const Environment& environment);

/// Prints diagnostics as Packer does, on stdout, with the template's secrets masked; the lines they speak of are read
/// from the files.
void print(const Args& args, const tmpl::Diagnostics& diagnostics, const tmpl::Template& from);

steps::Settings make_settings(const Args& args, const Environment& environment);

/// What planning asks of the world: answered by the store and the machine.
plan::Surroundings make_surroundings(const Args& args, const Environment& environment, const steps::Settings& settings,
                                     store::Store& store, const Cancel& cancel);

/// The disk formats that the image room writes.
std::vector<plan::DiskFormat> disk_formats();

/// What build, plan and run work with.
struct Planned {
  tmpl::Template from;
  store::Store store;
  steps::Settings settings;
  plan::Plan plan;
};
/// Reads the template, opens the store and plans. What is wrong with the template is printed, and then there is no
/// plan.
Result<std::optional<Planned>> plan_template(const Args& args, const Environment& environment, const Cancel& cancel);

engine::Options engine_options(const Args& args, const steps::Settings& settings);

/// 16 random bytes as a version-4 UUID.
std::string new_uuid();

}  // namespace kiln::cli
