import ArgumentParser

@main
struct DownloadAllCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "download-all")
}
