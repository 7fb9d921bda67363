import TargetSetup

@main
enum Main {
  static func main() {}
}
