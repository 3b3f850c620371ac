#include "cli/help.h"

#include <string_view>

namespace kiln::cli {

namespace {

constexpr std::string_view kOverview = R"(Usage: kiln COMMAND [flags] TEMPLATE

kiln bakes machine images from Packer templates without booting a machine.

  build      make the images of a template
  validate   check a template
  fmt        put templates into canonical form
  fix        bring an old JSON template up to date
  hcl2_upgrade   write an old JSON template as HCL2
  inspect    list what a template holds: variables, builds and their parts
  console    try expressions against a template
  init       say what a template needs and whether kiln has it
  plan       show the steps, what is cached, and why a step will run
  run        a shell or a command inside a layer or a failed step
  store      look into, clean or check the store of layers
  hcldec     decode HCL by a specification, for test suites (docs/hcldec.md)
  version    print the version

Examples:
  kiln validate spark.pkr.hcl               is the template right?
  kiln plan spark.pkr.hcl                   what would a build do, and why?
  kiln build -local spark.pkr.hcl           make every image, publish nothing
  kiln run spark.pkr.hcl                    look inside, or into a failed step

kiln COMMAND -help tells more. Flags are Packer's: -flag=value or -flag value;
--flag works too. Exit codes are Packer's: 0 good, 1 something failed, 127 no
such command.
)";

constexpr std::string_view kBuild = R"(Usage: kiln build [flags] TEMPLATE

Makes every image of a template, in parallel. Steps that were done before are
taken from the store; a build in which nothing changed does nothing.

Examples:
  kiln build -local spark.pkr.hcl               all images, nothing published
  kiln build -only='docker.*' spark.pkr.hcl     one kind only
  kiln build -local -only='amazon-ebs.*' T      the EC2 disk, as a file
  kiln build -var spark_version=4.2.1 T         another value
  kiln build -check spark.pkr.hcl               prove that each step repeats
  kiln build -no-cache-filter='shell: 40*' T    run these steps again

Selecting and setting:
  -var NAME=VALUE, -var-file=FILE    variables; may be repeated
  -only=GLOB,..  -except=GLOB,..     builds by name, such as docker.spark
Output:
  -output=DIR           where artifacts go (default: out): NAME-docker.tar,
                        NAME-ec2.raw, NAME-gce.tar.gz, NAME.FORMAT of disks
  -local                stop before anything is published or loaded; machines
                        for a cloud need it, as kiln does not publish them yet
  -color=false          no colours (also NO_COLOR)
  -timestamp-ui         a time before every line
  -machine-readable     lines for programs, as Packer writes them
Running:
  -parallel-builds=N    at most N builds at the same time (default: no limit)
  -on-error=cleanup|abort|ask|run-cleanup-provisioner
                        what to do about a provisioner that failed (default:
                        cleanup, which runs the error-cleanup-provisioner, as
                        the last one does; abort leaves it out)
  -force                replace what is there, start manifests anew
  -network=host|none    what steps may reach (default: host)
  -strict               no new privileges inside steps: sudo and su stop working
  -allow-privileged     let the template ask for privileges
Cache:
  -no-cache             run every step again (the base stays)
  -no-cache-filter=GLOB run steps with such labels again
  -fresh-disks          lay disks out as a new machine would, not so that they
                        differ little from earlier ones of the same name
  -refresh              resolve tags and archive dates again
  -lock                 write what they resolve to into kiln.lock.json
  -keep=PATH            keep a path that is removed from layers as volatile
  -check                run each step twice and name the paths that differ

Environment: KILN_STORE (default: kiln/store in the XDG cache directory),
KILN_DOWNLOADS, PKR_VAR_name, NO_COLOR, PACKER_NO_COLOR.
)";

constexpr std::string_view kValidate = R"(Usage: kiln validate [flags] TEMPLATE

Checks a template: syntax, references, types, the options of every component.
Runs nothing.

Examples:
  kiln validate spark.pkr.hcl
  kiln validate -syntax-only spark.pkr.hcl
  kiln validate -var-file=big.pkrvars.hcl .

Flags: -var, -var-file, -only, -except, -no-warn-undeclared-var,
  -syntax-only            only parse
  -evaluate-datasources   ask the servers of data sources; their values are
                          taken as unknown without
)";

constexpr std::string_view kFmt = R"(Usage: kiln fmt [flags] PATH...

Puts templates (.pkr.hcl) and variable files (.pkrvars.hcl) into canonical form
and prints the names of those that were not. PATH is a file, a directory, or -
for standard input.

Examples:
  kiln fmt .
  kiln fmt -check -diff -recursive images
  kiln fmt - < spark.pkr.hcl

  -check         change nothing; exit code 3 when something would change
  -diff          print what changes
  -write=false   change nothing
  -recursive     directories inside directories, too
)";

constexpr std::string_view kFix = R"(Usage: kiln fix [flags] TEMPLATE

Prints an old JSON template with the keys that today's builders, provisioners
and post-processors have. The file stays as it is.

Examples:
  kiln fix old.json > new.json

  -validate=false   do not check whether the result can be read
)";

constexpr std::string_view kUpgrade = R"(Usage: kiln hcl2_upgrade [flags] TEMPLATE

Writes an old JSON template as an HCL2 template that means the same. The old
file stays as it is. Keys from before today's names need kiln fix first.

Examples:
  kiln hcl2_upgrade old.json                         writes old.json.pkr.hcl
  kiln hcl2_upgrade -output-file=new.pkr.hcl old.json

  -output-file=FILE    where to write (default: TEMPLATE.pkr.hcl)
  -with-annotations    comments that say what each part is
)";

constexpr std::string_view kInspect = R"(Usage: kiln inspect [flags] TEMPLATE

Lists what a template holds. Variables need no values: what is not known prints
as <unknown>.

Examples:
  kiln inspect spark.pkr.hcl
  kiln inspect -json -var spark_version=4.2.1 spark.pkr.hcl

Flags: -var, -var-file, -json, -machine-readable
)";

constexpr std::string_view kConsole = R"(Usage: kiln console [flags] [TEMPLATE]

Shows the values of expressions, which may use the template's variables and
locals. From a pipe every line is an expression and the last value is printed.

Examples:
  kiln console spark.pkr.hcl
  echo 'upper(var.v)' | kiln console -var v=21 spark.pkr.hcl

Words: variables, help, exit. Flags: -var, -var-file
)";

constexpr std::string_view kInit = R"(Usage: kiln init [flags] TEMPLATE

Says what a template needs and whether kiln has it; exit code 1 when something
is missing. Components are built in: nothing is downloaded.

Examples:
  kiln init .

Flags: -var, -var-file; -upgrade and -force are known and change nothing
)";

constexpr std::string_view kPlan = R"(Usage: kiln plan [flags] TEMPLATE

Shows the graph of steps: what is cached, what will run and why. Runs nothing.

Examples:
  kiln plan images/spark/spark.pkr.hcl
  kiln plan -json spark.pkr.hcl

Flags: those of build that choose and set, and -json
)";

constexpr std::string_view kRun = R"(Usage: kiln run [flags] TEMPLATE [-- COMMAND ARG...]

Enters the tree of a build as a step would see it, with a shell or a command.
Changes are thrown away. Without -step: the step that failed last, as it was
left, or the finished tree.

Examples:
  kiln run -only='docker.*' spark.pkr.hcl
  kiln run -step='shell: 20*' spark.pkr.hcl -- ls -l /opt

Flags: -step=GLOB (the tree after that step), and those of build that choose
and set
)";

constexpr std::string_view kStore = R"(Usage: kiln store ls|gc|verify [flags]

  ls       the layers: size, last use, the step that made them   (-json)
  gc       remove what no build uses now: -older-than=168h, -keep-bytes=20GB,
           -dry-run
  verify   check every layer and blob against its digest; damaged ones are set
           aside

Examples:
  kiln store ls
  kiln store gc -older-than=336h
  kiln store gc -keep-bytes=10GB -dry-run
)";

}  // namespace

std::string help_for(const std::string& command) {
  if (command == "build") return std::string(kBuild);
  if (command == "validate") return std::string(kValidate);
  if (command == "inspect") return std::string(kInspect);
  if (command == "console") return std::string(kConsole);
  if (command == "init") return std::string(kInit);
  if (command == "fix") return std::string(kFix);
  if (command == "hcl2_upgrade") return std::string(kUpgrade);
  if (command == "fmt") return std::string(kFmt);
  if (command == "plan") return std::string(kPlan);
  if (command == "run") return std::string(kRun);
  if (command == "store") return std::string(kStore);
  return std::string(kOverview);
}

}  // namespace kiln::cli
