// What commands other than build say: plain text, or lines for programs with -machine-readable.
#pragma once

#include <string>

#include "cli/args.h"
#include "template/diagnostic.h"

namespace kiln::cli {

/// A message, its line end added.
void say(const Args& args, const std::string& text);
/// The same for what went wrong; on stdout too, as Packer has it.
void complain(const Args& args, const std::string& text);
/// Diagnostics as Packer prints them, one message each.
void complain(const Args& args, const tmpl::Diagnostics& diagnostics, const tmpl::Sources& sources);

}  // namespace kiln::cli
