# One build, three programs: docker build --target api|workers|cli .
# Nothing here names a package source: the build asks the ones that NuGet's own configuration names.

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
ENV MSBUILDDISABLENODEREUSE=1
# What a restore reads comes first: after a change of the sources alone, no package is fetched again.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/Platform.Domain/Platform.Domain.csproj src/Platform.Domain/packages.lock.json src/Platform.Domain/
COPY src/Platform.Persistence/Platform.Persistence.csproj src/Platform.Persistence/packages.lock.json src/Platform.Persistence/
COPY src/Platform.Api/Platform.Api.csproj src/Platform.Api/packages.lock.json src/Platform.Api/
COPY src/Platform.Workers/Platform.Workers.csproj src/Platform.Workers/packages.lock.json src/Platform.Workers/
COPY src/Platform.Client/Platform.Client.csproj src/Platform.Client/packages.lock.json src/Platform.Client/
COPY src/Platform.Cli/Platform.Cli.csproj src/Platform.Cli/packages.lock.json src/Platform.Cli/
RUN for name in Api Workers Cli; do dotnet restore "src/Platform.$name" --locked-mode || exit; done
COPY src src
# Without the analyzers: whether the sources keep the rules is for the build that tests them.
RUN for name in Api Workers Cli; do \
        dotnet publish "src/Platform.$name" -c Release --no-restore -p:UseAppHost=false -p:RunAnalyzers=false -o "/publish/$name" || exit; \
    done

# As the image's account that is not root, with nothing to write to but /tmp.
FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS runtime
ENV ASPNETCORE_HTTP_PORTS=8080 DOTNET_EnableDiagnostics=0
WORKDIR /app
USER $APP_UID

FROM runtime AS host
EXPOSE 8080
# The image has no HTTP client; bash is one. The hosts answer within 5 s, whatever is the matter.
HEALTHCHECK --interval=5s --timeout=7s --start-period=60s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.0\\r\\n\\r\\n' >&3 && read -r -t 6 answer <&3 && [[ $answer == *' 200 '* ]]"]

FROM host AS api
COPY --from=build /publish/Api .
ENTRYPOINT ["dotnet", "Platform.Api.dll"]

FROM host AS workers
COPY --from=build /publish/Workers .
ENTRYPOINT ["dotnet", "Platform.Workers.dll"]

FROM runtime AS cli
ENV PLATFORM_ROOT=/app PLATFORM_HOME=/tmp/platform
COPY --from=build /publish/Cli .
ENTRYPOINT ["dotnet", "Platform.Cli.dll"]
