import ArgumentParser
import CommandSupport
import Console
import TargetSetup

/// Shows the login of the servers: the one command that does.
struct LoginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login", abstract: "Show the name and the password of the web server and the registry.",
    discussion: """
      It needs root, and is the only command that shows the password.

      --renew makes a new password; the services that use it are started again.
      The nodes do not know it before the playbook offline-repo.yml and kubespray
      have run on all of them.
      """)

  private struct Login: Encodable {
    let user: String
    let password: String
  }

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(help: "Make a new password.")
  var renew = false

  func run() async throws {
    try requireRoot("target-setup login")
    let console = output.console()
    let context = try options.context(console, output.events(console))
    let login = try AccessChange(context).login(isNew: renew)
    try await apply(login.steps, context, console)
    if output.json { return try printJSON(Login(user: login.user, password: login.password)) }
    console.table(["USER", "PASSWORD"], [[login.user, login.password]])
    console.finish(
      renew ? "now run the playbooks offline-repo.yml and cluster.yml, so that the nodes know it" : nil)
  }
}
