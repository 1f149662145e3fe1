using Platform.Testing;

namespace Platform.Cli.Tests;

public sealed class PrivateServicesTests
{
    // One test, as each start costs seconds; the steps are in eng/test-services.sh, where they are the commands a
    // person would type.
    [Fact]
    public async Task Private_services_survive_a_kill_and_leave_nothing_behind()
    {
        var (status, output, error) = await Script.RunProgramAsync(
            Path.Combine(Script.Root, "eng", "test-services.sh")
        );
        Assert.True(status == 0, $"{output}\n{error}");
    }
}
