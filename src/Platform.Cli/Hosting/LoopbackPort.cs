using System.Net;
using System.Net.Sockets;

namespace Platform.Cli.Hosting;

/// <summary>TCP ports of this machine.</summary>
internal static class LoopbackPort
{
    /// <summary>
    /// Where this process begins to look for free ports. Runs that go on at the same time look in different places:
    /// between looking and taking, a port is anybody's.
    /// </summary>
    public static int First => 20_000 + (Environment.ProcessId % 1_500 * 8);

    public static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The first free port from <paramref name="first"/> on.</summary>
    public static int FirstFree(int first)
    {
        while (!IsFree(first))
            first++;
        return first;
    }
}
