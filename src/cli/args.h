// The command line: Packer's Go-style flags (-var, -only=x), each also as --long. CLI11 does the parsing after a
// rewrite.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace kiln::cli {

/// Flags that several commands share. Defaults are Packer's.
struct Args {
  std::string command;  // build, validate, inspect, console, fmt, init, plan, run, store, version
  std::string action;   // store: ls, gc, verify
  std::string template_path;
  std::vector<std::string> rest;  // run: the command after --; fmt: paths

  std::vector<std::pair<std::string, std::string>> vars;
  std::vector<fs::path> var_files;
  std::vector<std::string> only, except;
  bool warn_on_undeclared_var = false, no_warn_undeclared_var = false;

  std::uint32_t parallel_builds = 0;
  std::string on_error = "cleanup";
  bool color = true, timestamp_ui = false, machine_readable = false, debug = false;
  bool force = false, local = false, no_cache = false, fresh_disks = false, check = false, strict = false,
       refresh = false;
  bool lock = false, allow_privileged = false, syntax_only = false, json = false, dry_run = false;
  bool ignored = false;                                // flags that are known and change nothing
  std::string config_type;                             // console: hcl2 is all there is
  bool diff = false, write = true, recursive = false;  // fmt
  bool evaluate_datasources = false;                   // validate; other commands that plan or build always do
  bool validate = true;                                // fix
  std::string output_file;                             // hcl2_upgrade; empty: the template's name and ".pkr.hcl"
  bool annotations = false;                            // hcl2_upgrade
  std::vector<std::string> no_cache_filter, keep;
  std::string network = "host";
  std::string output;            // -output; empty: not given
  std::string step;              // run -step=LABEL
  std::uint64_t keep_bytes = 0;  // store gc -keep-bytes
  std::string older_than;        // store gc -older-than=168h

  bool help = false;
  std::string help_text;
};

/// Errc::usage carries a text for people. An unknown command yields Args with an empty command, and what to say about
/// it as help_text.
Result<Args> parse_args(std::vector<std::string> argv);

}  // namespace kiln::cli
