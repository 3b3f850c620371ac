// Decoding a body with a specification written in HCL, as hashicorp's hcldec does: suites made for that program can be
// run against this one. The language of specifications: docs/hcldec.md.
#pragma once

#include "template/diagnostic.h"
#include "template/template.h"

namespace kiln::tmpl {

struct HcldecOptions {
  fs::path spec, input;           // input ending in .json: HCL's JSON syntax
  std::vector<std::string> vars;  // JSON objects, or names of files in HCL or JSON
  bool with_type = false, keep_nulls = false;
  bool var_refs = false;  // instead of the value: the references in the input
};

struct Hcldec {
  std::string output;  // one line of JSON; empty when there is an error among the diagnostics
  Diagnostics diagnostics;
  Sources sources;
};

/// Errors beyond diagnostics: a result that cannot be written as JSON.
Result<Hcldec> hcldec(const HcldecOptions& options, const World& world);

/// {"diagnostics":[{"severity":..,"summary":..,"detail":..,"subject":{"filename":..,"start":{..},"end":{..}}}]}
std::string diagnostics_json(const Diagnostics& diagnostics);

}  // namespace kiln::tmpl
